"""Messages of NFLOG: how to ask for packets of one group, and what a packet says. Pure.

Source: linux/netfilter/nfnetlink_log.h, linux/netfilter/nfnetlink.h.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from wgmqtt.model import Endpoint
from wgmqtt.watch.ruleset import SNAPLEN_BYTES

PACKET = 4 << 8  # NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET
_CONFIG = PACKET | 1  # NFULNL_MSG_CONFIG
_NLM_F_REQUEST, _NLM_F_ACK = 0x01, 0x04
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
    """A packet from an endpoint that was not known, at a port of this hub. Anyone can cause one.

    `t_ns`: when the kernel had it, ns of Unix time; 0 if it does not say.
    """

    listen_port: int
    source: Endpoint
    t_ns: int = 0


def encode_binding(group: int, sequence: int) -> bytes:
    """Return the request for packets of `group`: each at once (a queue of 1), headers only; answered by an ACK."""
    body = struct.pack("!BBH", 0, 0, group)  # struct nfgenmsg
    body += _attribute(_CFG_CMD, struct.pack("!B", _BIND))
    body += _attribute(_CFG_MODE, struct.pack("!IBB", SNAPLEN_BYTES, _COPY_PACKET, 0))
    body += _attribute(_CFG_QTHRESH, struct.pack("!I", 1))
    return struct.pack("=IHHII", 16 + len(body), _CONFIG, _NLM_F_REQUEST | _NLM_F_ACK, sequence, 0) + body


def decode_packet(message: bytes) -> Hint | None:
    """Return what a NFULNL_MSG_PACKET says, given after its nlmsghdr; None where no UDP header can be found."""
    t_ns, start = 0, _NFGENMSG_BYTES
    hint = None
    while start + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, start)
        if length < 4:  # noqa: PLR2004 - the header's own size
            return None
        value = message[start + 4 : start + length]
        if kind == _TIMESTAMP and len(value) == _TIMESTAMP_BYTES:
            seconds, microseconds = struct.unpack("!QQ", value)
            t_ns = (seconds * 1_000_000 + microseconds) * 1000
        elif kind == _PAYLOAD:
            hint = _decode_udp(value, t_ns)
        start += (length + 3) & ~3
    return hint


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


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
