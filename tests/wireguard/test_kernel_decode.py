"""Real dumps, their messages cut anywhere, and answers that no kernel gives."""

import base64
import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.errors import DecodeError
from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.netlink import NLMSG_DONE, decode_attributes, decode_messages
from wgmqtt.wireguard.kernel_decode import DEVICE_PEERS, DumpDecoder
from wgmqtt.wireguard.snapshot import Device, RawPeer, Snapshot, differences, peer_state

# Made by lab/vm/record_dump.py on Debian's kernel 6.1 and on Linux 7.2: the messages, and what wg(8) said of the same.
DATA = Path(__file__).parents[1] / "data"
RECORDED = {version: DATA / f"dump-{version}.bin" for version in ("6.1", "7.2")}


def payloads(version: str) -> list[bytes]:
    messages = decode_messages(RECORDED[version].read_bytes())
    return [message.payload for message in messages if message.kind != NLMSG_DONE]


def decoded(*parts: bytes) -> DumpDecoder:
    decoder = DumpDecoder()
    for part in parts:
        decoder.add(part)
    return decoder


def merged(parts: list[bytes]) -> Snapshot:
    return decoded(*parts).snapshot


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def one_peer(*attributes: bytes) -> bytes:
    return b"\0\1\0\0" + attribute(DEVICE_PEERS, attribute(0, b"".join(attributes)))


def walk(raw: bytes) -> list[bytes]:
    """Return the attributes of `raw`, whole."""
    found = []
    while raw:
        length = (struct.unpack_from("=H", raw)[0] + 3) & ~3
        found.append(raw[:length])
        raw = raw[length:]
    return found


@pytest.mark.parametrize("version", RECORDED)
def test_recorded_dump_decodes_to_what_wg_shows(version: str) -> None:
    first, *lines = (DATA / f"dump-{version}.txt").read_text().splitlines()
    parts = payloads(version)
    snapshot = merged(parts)
    key, port = first.split()
    assert decoded(*parts).device == Device(PublicKey(base64.b64decode(key)), int(port))
    assert decoded(*parts[1:]).device == Device(None, 0)
    shown = [line.split("\t") for line in lines]
    seen = [peer_state(key, peer) for key, peer in snapshot.items()]
    assert [str(one.key) for one in seen] == [row[0] for row in shown]
    assert [str(one.endpoint or "(none)") for one in seen] == [row[2] for row in shown]
    assert [int(one.handshake_s) for one in seen] == [int(row[4]) for row in shown]
    assert [(one.rx, one.tx) for one in seen] == [(int(row[5]), int(row[6])) for row in shown]
    assert any(one.handshake_s % 1 for one in seen), "the nanoseconds are read too"


@pytest.mark.parametrize("version", RECORDED)
def test_recorded_dump_has_a_peer_in_several_messages(version: str) -> None:
    """Otherwise the recording would not show what it was made for."""
    per_message = [list(merged([part])) for part in payloads(version)]
    assert any(one and two and one[-1] == two[0] for one, two in pairwise(per_message))


PEERS = [
    walk(peer[4:])
    for part in payloads("7.2")
    for peers in walk(part[4:])
    if struct.unpack_from("=H", peers, 2)[0] & 0x3FFF == DEVICE_PEERS
    for peer in walk(peers[4:])
]


@pytest.mark.parametrize("version", RECORDED)
def test_recorded_peers_with_an_endpoint_have_a_usual_layout(version: str) -> None:
    """The fast path is for these; it and the walk agree, as the next test shows."""
    decoder = DumpDecoder()
    for part in payloads(version):
        for kind, start, end in decode_attributes(part, 4, len(part)):
            for _, peer_start, peer_end in decode_attributes(part, start, end) if kind == DEVICE_PEERS else ():
                decoder._add_usual_peer(part, peer_start, peer_end)
    assert decoder.snapshot == {key: peer for key, peer in merged(payloads(version)).items() if peer.endpoint}


@given(st.lists(st.tuples(st.integers(0, len(PEERS) - 1), st.integers(0, 12)), max_size=20))
def test_dump_split_anywhere_gives_the_same_snapshot(cuts: list[tuple[int, int]]) -> None:
    """The kernel cuts between peers, and within one after any attribute; the key leads each part."""
    entries: list[list[bytes]] = []
    for number, (key, *rest) in enumerate(PEERS):
        places = sorted({0, len(rest), *(place for which, place in cuts if which == number and place < len(rest))})
        entries += [[key, *rest[start:end]] for start, end in pairwise(places)]
    assert merged([one_peer(*entry) for entry in entries]) == merged(payloads("7.2"))


@given(st.data())
def test_recorded_dump_with_damage_raises_only_decode_error(data: st.DataObject) -> None:
    part = bytearray(data.draw(st.sampled_from(payloads("6.1"))))
    for place in data.draw(st.lists(st.integers(0, len(part) - 1), max_size=8)):
        part[place] = data.draw(st.integers(0, 255))
    read_all(bytes(part[: data.draw(st.integers(0, len(part)))]))


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_decode_error(raw: bytes) -> None:
    read_all(raw)
    read_all(one_peer(attribute(1, b"k" * 32), raw))


def read_all(payload: bytes) -> None:
    decoder = DumpDecoder()
    for read in (lambda: decoder.add(payload), lambda: differences({}, decoder.snapshot, complete=True, now_s=0.0)):
        try:
            read()
        except DecodeError as error:
            assert str(error).startswith(("WireGuard's answer: ", "netlink: "))  # noqa: PT017 - not to raise is right too


KEY = b"k" * 32
IPV4 = struct.pack("=H", 2) + b"\xc8\xd5" + bytes((203, 0, 113, 7)) + bytes(8)
IPV6 = struct.pack("=H", 10) + b"\xc8\xd5" + bytes(4) + bytes.fromhex("20010db8" + "00" * 11 + "07")
MAPPED = struct.pack("=H", 10) + b"\xc8\xd5" + bytes(4) + bytes.fromhex("00" * 10 + "ffff" + "cb007107")
ENDPOINTS: dict[str, tuple[bytes | str, Endpoint | None]] = {
    "ipv4": (IPV4, Endpoint("203.0.113.7", 51413)),
    "ipv6": (IPV6 + bytes(4), Endpoint("2001:db8::7", 51413)),
    "ipv6 with a scope id": (IPV6 + b"\1\2\3\4", Endpoint("2001:db8::7", 51413)),
    "ipv4 in ipv6": (MAPPED + bytes(4), Endpoint("203.0.113.7", 51413)),
    "no family": (bytes(16), None),
    "absent": (b"", None),
    "absent text": ("", None),
    "ipv4 text": ("203.0.113.7:51413", Endpoint("203.0.113.7", 51413)),
    "ipv6 text": ("[2001:db8::7]:51413", Endpoint("2001:db8::7", 51413)),
    "ipv6 text, long": ("[2001:DB8:0:0::7]:51413", Endpoint("2001:db8::7", 51413)),
    "ipv6 text with a zone": ("[fe80::7%eth0]:51413", Endpoint("fe80::7", 51413)),
    "ipv4 in ipv6, text": ("[::ffff:203.0.113.7]:51413", Endpoint("203.0.113.7", 51413)),
}


@pytest.mark.parametrize("case", ENDPOINTS)
def test_endpoint_has_one_spelling(case: str) -> None:
    raw, expected = ENDPOINTS[case]
    assert peer_state(KEY, RawPeer(raw)).endpoint == expected


@pytest.mark.parametrize(
    "raw", [IPV6[:16], struct.pack("=H", 7) + bytes(14), "203.0.113.7", "a:1", "1.2.3.4:65536", "::"]
)
def test_malformed_endpoint_raises(raw: bytes | str) -> None:
    with pytest.raises(DecodeError, match="an endpoint"):
        peer_state(KEY, RawPeer(raw))


TIME = struct.pack("=qq", 7, 500_000_000)
WHOLE = (attribute(1, KEY), attribute(6, TIME), attribute(8, b"\2" + bytes(7)), attribute(7, b"\1" + bytes(7)))


def test_unknown_attributes_are_skipped() -> None:
    unknown = (attribute(99, b"x"), attribute(0, b""), attribute(3, b"1234"))
    plain = merged([one_peer(*WHOLE)])
    padded = merged([b"\0\1\0\0" + attribute(77, b"?") + one_peer(*unknown, *WHOLE, *unknown)[4:]])
    assert padded == plain == {KEY: RawPeer(b"", TIME, 1, 2)}


SOCKADDR = b"\2\0\x1f\x90\1\2\3\4" + bytes(8)
PAD = attribute(0, b"")


@pytest.mark.parametrize("pads", [(b"", b""), (b"", PAD), (PAD, PAD)], ids=["none", "before rx", "before both"])
def test_peer_of_each_usual_layout_is_decoded_in_one_step(pads: tuple[bytes, bytes]) -> None:
    """Kernels of machines that read 8 bytes only at multiples of 8 put an empty attribute before a counter."""
    tx, rx = pads[0] + attribute(8, b"\2" + bytes(7)), pads[1] + attribute(7, b"\1" + bytes(7))
    parts = (attribute(1, KEY), attribute(2, bytes(32)), attribute(6, TIME), attribute(5, b"\0\0"))
    peer = b"".join((*parts, tx, rx, attribute(10, bytes(4)), attribute(4, SOCKADDR)))
    decoder = DumpDecoder()
    assert decoder._add_usual_peer(peer, 0, len(peer))
    assert decoder.snapshot == {KEY: RawPeer(SOCKADDR, TIME, 1, 2)}
    again = DumpDecoder(decoder.snapshot)
    again.add(one_peer(peer))
    assert again.snapshot[KEY] is decoder.snapshot[KEY]
    assert not DumpDecoder()._add_usual_peer(peer, 0, len(peer) - 1)


def test_second_part_of_a_peer_erases_nothing() -> None:
    """The rest of a cut peer carries its key and more allowed IPs."""
    assert merged([one_peer(*WHOLE), one_peer(attribute(1, KEY), attribute(9, b""))]) == {KEY: RawPeer(b"", TIME, 1, 2)}


@pytest.mark.parametrize(
    "attributes",
    [(WHOLE[1],), (attribute(1, b"short"),), (*WHOLE[:1], attribute(4, b"\2\0")), (*WHOLE[:1], attribute(6, bytes(8)))],
    ids=["no key", "short key", "short endpoint", "short time"],
)
def test_attribute_of_a_wrong_length_raises(attributes: tuple[bytes, ...]) -> None:
    with pytest.raises(DecodeError, match="32, 16 or 28, 16, 8, 8 bytes"):
        decoded(one_peer(*attributes))


@pytest.mark.parametrize("cut", [1, 4, 7, 33, 60])
def test_truncated_message_raises(cut: int) -> None:
    with pytest.raises(DecodeError, match="cut short"):
        decoded(one_peer(*WHOLE)[:-cut])
