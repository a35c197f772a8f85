"""Encode and decode the messages of NFLOG (linux/netfilter/nfnetlink_log.h): binding to a group, and packets."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from wgmqtt.errors import DecodeError
from wgmqtt.model import Endpoint
from wgmqtt.netlink import NLM_F_ACK, decode_attributes, encode_attribute, encode_message
from wgmqtt.watch.ruleset import SNAPLEN_BYTES

PACKET = 4 << 8  # NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET
_CONFIG = PACKET | 1  # NFULNL_MSG_CONFIG
_BIND, _COPY_PACKET = 1, 2  # NFULNL_CFG_CMD_BIND, NFULNL_COPY_PACKET
_CFG_CMD, _CFG_MODE, _CFG_QTHRESH = 1, 2, 5
_TIMESTAMP, _PAYLOAD = 3, 9
_NFGENMSG_BYTES = 4
_TIMESTAMP_BYTES = 16
_IPV4_BYTES = 20
_IPV6_BYTES = 40
_UDP = 17


@dataclass(frozen=True, slots=True)
class Hint:
    """A packet that arrived at one of this hub's ports from an unknown endpoint. Anyone can cause one.

    `t_ns`: when the kernel received it, in nanoseconds of Unix time; 0 if the kernel does not say.
    """

    listen_port: int
    source: Endpoint
    t_ns: int = 0


def encode_binding(group: int, sequence: int) -> bytes:
    """Return the request for the packets of `group`: headers only, each at once (a queue of 1), answered by an ACK."""
    payload = struct.pack("!BBH", 0, 0, group)  # struct nfgenmsg
    payload += encode_attribute(_CFG_CMD, struct.pack("!B", _BIND))
    payload += encode_attribute(_CFG_MODE, struct.pack("!IBB", SNAPLEN_BYTES, _COPY_PACKET, 0))
    payload += encode_attribute(_CFG_QTHRESH, struct.pack("!I", 1))
    return encode_message(_CONFIG, NLM_F_ACK, sequence, payload)


def decode_packet(payload: bytes) -> Hint | None:
    """Return the hint in a NFULNL_MSG_PACKET, given without its netlink header; None if it holds no UDP header."""
    try:
        found = decode_attributes(payload, _NFGENMSG_BYTES, len(payload))
    except DecodeError:
        return None
    attributes = {kind: payload[start:end] for kind, start, end in found}
    t_ns, timestamp = 0, attributes.get(_TIMESTAMP, b"")
    if len(timestamp) == _TIMESTAMP_BYTES:
        seconds, microseconds = struct.unpack("!QQ", timestamp)
        t_ns = (seconds * 1_000_000 + microseconds) * 1000
    return _decode_udp(attributes.get(_PAYLOAD, b""), t_ns)


def _decode_udp(packet: bytes, t_ns: int) -> Hint | None:
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= _IPV4_BYTES and packet[9] == _UDP:  # noqa: PLR2004 - IPv4
        address, start = str(IPv4Address(packet[12:16])), (packet[0] & 0x0F) * 4
    elif version == 6 and len(packet) >= _IPV6_BYTES and packet[6] == _UDP:  # noqa: PLR2004 - IPv6
        address, start = str(IPv6Address(packet[8:24])), _IPV6_BYTES
    else:
        return None
    if len(packet) < start + 4:
        return None
    source_port, listen_port = struct.unpack_from("!HH", packet, start)
    return Hint(listen_port, Endpoint(address, source_port), t_ns)
