"""How many bytes messages and packets take on a metered line, both ways.

Sources: IPv4 (RFC 791) 20 bytes, UDP 8, WireGuard's data message 16 + 16 with its content padded to 16 (WireGuard
paper, section 5.4.6), its handshake initiation 148 (section 5.4.2); TCP 20 with time stamps 12 more (RFC 7323).
"""

from math import ceil

OUTSIDE = 20 + 8
TCP_IP = 20 + 20 + 12
SEGMENT = 1420 - TCP_IP
INITIATION = OUTSIDE + 148
INITIATIONS_PER_ATTEMPT = 90 // 5 + 1  # Rekey-Attempt-Time / Rekey-Timeout, and the first: section 6.4
QOS1_HEADER = 3 + 2 + 2  # fixed header of 3 bytes, the topic's length, packet identifier


def tunnelled(inner: int) -> int:
    """Return the bytes of a packet of `inner` bytes in the tunnel."""
    return OUTSIDE + 32 + ceil(inner / 16) * 16


def message(topic: str, payload: bytes) -> int:
    """Return the bytes of an MQTT message at QoS 1: its segments, its PUBACK, and a TCP acknowledgement of each."""
    size = QOS1_HEADER + len(topic) + len(payload)
    full, rest = divmod(size, SEGMENT)
    sizes = [*[SEGMENT] * full, *([rest] if rest else []), 4]
    return sum(tunnelled(TCP_IP + each) + tunnelled(TCP_IP) for each in sizes)


def attempt() -> int:
    """Return the bytes of WireGuard's handshakes when both ends try a path that no packet passes."""
    return 2 * INITIATIONS_PER_ATTEMPT * INITIATION
