"""Messages of NFLOG, whole and cut short."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.model import Endpoint
from wgmqtt.watch.nflog import Hint, decode_packet, encode_binding

KIND_OF = {"packet header": 1, "time stamp": 3, "in": 4, "payload": 9, "prefix": 10}
UDP = 17
STAMP = struct.pack("!QQ", 1_700_000_000, 123_456)
T_NS = 1_700_000_000_123_456_000


def attribute(name: str, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), KIND_OF[name]) + value + b"\0" * (-len(value) % 4)


def four(options: bytes = b"", protocol: int = UDP) -> bytes:
    """RFC 791: version and header length, …, protocol, checksum, source, destination; then RFC 768."""
    head = bytes([0x45 + len(options) // 4]) + bytes(8) + bytes([protocol]) + bytes(2)
    return head + bytes([203, 0, 113, 11, 203, 0, 113, 1]) + options + struct.pack("!HHHH", 13231, 51820, 40, 0)


def six(next_header: int = UDP) -> bytes:
    """RFC 8200: version, class, flow; length, next header, hop limit; source, destination."""
    head = bytes([0x60]) + bytes(5) + bytes([next_header, 64])
    return head + bytes.fromhex("20010db8cafe00000000000000000011") + bytes(16) + struct.pack("!HHHH", 1, 2, 8, 0)


def message(packet: bytes, *, has_stamp: bool = True) -> bytes:
    stamp = attribute("time stamp", STAMP) if has_stamp else b""
    head = struct.pack("!BBH", 2, 0, 51820) + attribute("packet header", b"\x08\0\x01\0")
    return head + attribute("prefix", b"\0") + stamp + attribute("in", b"\0\0\0\1") + attribute("payload", packet)


def test_packet_of_ipv4_is_decoded_to_port_source_and_time() -> None:
    expected = Hint(51820, Endpoint("203.0.113.11", 13231), T_NS)
    assert decode_packet(message(four())) == expected
    assert decode_packet(message(four(options=bytes(8)))) == expected


def test_packet_of_ipv6_is_decoded_to_port_source_and_time() -> None:
    assert decode_packet(message(six())) == Hint(2, Endpoint("2001:db8:cafe::11", 1), T_NS)


def test_packet_without_a_time_stamp_has_time_zero() -> None:
    assert decode_packet(message(four(), has_stamp=False)) == Hint(51820, Endpoint("203.0.113.11", 13231), 0)


def test_packet_whose_first_header_is_not_udp_is_no_hint() -> None:
    """TCP, and IPv6 with an extension header: then every interface is polled."""
    assert decode_packet(message(four(protocol=6))) is None
    assert decode_packet(message(six(next_header=60))) is None
    assert decode_packet(message(b"")) is None


@given(st.integers(0, 200), st.sampled_from([four(), six()]))
def test_packet_cut_anywhere_never_raises(length: int, packet: bytes) -> None:
    whole = message(packet)
    assert decode_packet(whole[:length]) in (None, decode_packet(whole), decode_packet(message(packet)))


@given(st.binary(max_size=200))
def test_random_bytes_never_raise(rest: bytes) -> None:
    decode_packet(b"\2\0\0\0" + rest)


def test_binding_asks_for_the_headers_of_each_packet_at_once() -> None:
    """Written out from linux/netfilter/nfnetlink_log.h: bind; copy 64 bytes of a packet; a queue of one."""
    expected = (
        struct.pack("=IHHII", 48, 0x0401, 0x05, 7, 0)
        + bytes([0, 0])
        + struct.pack("!H", 51820)
        + struct.pack("=HH", 5, 1)
        + b"\1\0\0\0"
        + struct.pack("=HH", 10, 2)
        + b"\0\0\0\x40\2\0\0\0"
        + struct.pack("=HH", 8, 5)
        + b"\0\0\0\1"
    )
    assert encode_binding(51820, 7) == expected
