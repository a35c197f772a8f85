"""Decode the kernel's answer to WG_CMD_GET_DEVICE (linux/wireguard.h) into a snapshot.

The walks over a peer's attributes are written out here instead of calling `wgmqtt.netlink.decode_attributes`: they
run for every peer of every dump, and cost half as much (3 instead of 6 us of CPU time per peer).
"""

import struct
import sys
from collections.abc import Mapping
from itertools import product

from wgmqtt.errors import DecodeError, Problem
from wgmqtt.model import KEY_BYTES, PublicKey
from wgmqtt.netlink import ATTRIBUTE_HEADER, TYPE_MASK, attribute_cut_short, decode_attributes
from wgmqtt.wireguard.snapshot import NO_PEERS, Device, RawPeer, Snapshot

# linux/wireguard.h, enum wgdevice_attribute and enum wgpeer_attribute
DEVICE_PUBLIC_KEY, DEVICE_LISTEN_PORT, DEVICE_PEERS = 4, 6, 8
PEER_PUBLIC_KEY, PEER_ENDPOINT, PEER_HANDSHAKE, PEER_RX, PEER_TX = 1, 4, 6, 7, 8
_GENL_BYTES = 4  # struct genlmsghdr
_PORT_BYTES = 2
# Lengths that a peer's attributes may have, 0 if absent: sockaddr_in and sockaddr_in6, timespec, two u64.
_LENGTHS = frozenset(product((KEY_BYTES,), (0, 16, 28), (0, 16), (0, 8), (0, 8)))
# How Linux 6.1 to 7.2 describe a peer that has an endpoint: public key, preshared key, handshake, keepalive, tx, rx,
# version, endpoint, each behind its header. Where 8-byte values must lie at multiples of 8 (32-bit ARM, user-mode
# Linux) an empty attribute precedes rx, and tx if it needs one.
_COUNTERS = ("IQ IQ", "IQ 4x IQ", "4x IQ 4x IQ")
_USUAL_LAYOUTS = tuple(struct.Struct(f"=I32s I32x I16s I4x {tx_and_rx} I4x I") for tx_and_rx in _COUNTERS)
_USUAL_ATTRIBUTES = ((36, 1), (36, 2), (20, 6), (6, 5), (12, PEER_TX), (12, PEER_RX), (8, 10))
_USUAL_HEADERS = tuple(int.from_bytes(ATTRIBUTE_HEADER.pack(*each), sys.byteorder) for each in _USUAL_ATTRIBUTES)
_SOCKADDR_LENGTHS = {
    int.from_bytes(ATTRIBUTE_HEADER.pack(4 + length, PEER_ENDPOINT), sys.byteorder): length for length in (16, 28)
}


class DumpDecoder:
    """Collects one dump, message by message, into `snapshot` and `device`.

    `known` is the snapshot before: a peer that did not change stays the same object, so ten thousand of them cost no
    memory and give Python's collector of cycles nothing new to visit.
    """

    def __init__(self, known: Mapping[bytes, RawPeer] = NO_PEERS) -> None:
        self.snapshot: Snapshot = {}
        self.device = Device(None, 0)
        self._known = known

    def add(self, payload: bytes) -> None:
        """Add one message, given without its netlink header.

        A peer with many allowed IPs is cut over several messages (linux/wireguard.h, WG_CMD_GET_DEVICE), its endpoint
        only in the first: an absent attribute erases nothing.

        Raises:
            DecodeError: the message is cut short, or an attribute that matters has a length it cannot have.
        """
        found = {}
        for kind, start, end in decode_attributes(payload, _GENL_BYTES, len(payload)):
            if kind == DEVICE_PEERS:
                self._add_peers(payload, start, end)
            else:
                found[kind] = payload[start:end]
        port, key = found.get(DEVICE_LISTEN_PORT), found.get(DEVICE_PUBLIC_KEY)
        if port is None:
            return  # only the first message describes the device
        if len(port) != _PORT_BYTES or (key is not None and len(key) != KEY_BYTES):
            raise _malformed(
                "a device's attributes", "a port of 2 bytes, a key of 32", f"{len(port)}, {len(key or b'')}"
            )
        self.device = Device(PublicKey(key) if key is not None else None, int.from_bytes(port, sys.byteorder))

    def _add_peers(self, payload: bytes, start: int, end: int) -> None:
        last, unpack = len(payload) - 4, ATTRIBUTE_HEADER.unpack_from
        while start < end:
            length = unpack(payload, start)[0] if start <= last else 0
            stop = start + length
            if length < 4 or stop > end:  # noqa: PLR2004 - the header's own size
                raise attribute_cut_short(end - start, length)
            if not self._add_usual_peer(payload, start + 4, stop):
                self._add_any_peer(payload, start + 4, stop)
            start = (stop + 3) & ~3

    def _add_usual_peer(self, payload: bytes, start: int, end: int) -> bool:
        """Add a peer that has an endpoint and one of the usual layouts in one step; otherwise return False.

        Three times as fast as the walk. Every header is checked, so another layout costs time and nothing else.
        """
        for layout in _USUAL_LAYOUTS:
            at = start + layout.size
            if at > end:
                return False
            one, key, two, three, handshake, four, five, tx, six, rx, seven, eight = layout.unpack_from(payload, start)
            length = _SOCKADDR_LENGTHS.get(eight)
            if (
                length is not None
                and (one, two, three, four, five, six, seven) == _USUAL_HEADERS
                and at + length <= end
            ):
                found = (payload[at : at + length], handshake, rx, tx)
                peer = self._known.get(key)
                self.snapshot[key] = RawPeer(*found) if peer is None or found != tuple(peer) else peer
                return True
        return False

    def _add_any_peer(self, payload: bytes, start: int, end: int) -> None:
        found: dict[int, bytes] = {}
        last, unpack = len(payload) - 4, ATTRIBUTE_HEADER.unpack_from
        while start < end:
            length, kind = unpack(payload, start) if start <= last else (0, 0)
            stop = start + length
            if length < 4 or stop > end:  # noqa: PLR2004 - the header's own size
                raise attribute_cut_short(end - start, length)
            found[kind & TYPE_MASK] = payload[start + 4 : stop]
            start = (stop + 3) & ~3
        get = found.get
        key, endpoint, handshake = get(PEER_PUBLIC_KEY, b""), get(PEER_ENDPOINT, b""), get(PEER_HANDSHAKE, b"")
        rx, tx = get(PEER_RX, b""), get(PEER_TX, b"")
        lengths = (len(key), len(endpoint), len(handshake), len(rx), len(tx))
        if lengths not in _LENGTHS:
            what = "a peer's key, endpoint, handshake, rx or tx"
            raise _malformed(what, "32, 16 or 28, 16, 8, 8 bytes", f"{lengths} bytes")
        peer = RawPeer(endpoint, handshake, int.from_bytes(rx, sys.byteorder), int.from_bytes(tx, sys.byteorder))
        before = self.snapshot.get(key)
        if before is not None:
            peer = RawPeer(endpoint or before[0], handshake or before[1], peer.rx or before[2], peer.tx or before[3])
        self.snapshot[key] = peer


def _malformed(what: str, expected: str, given: str) -> DecodeError:
    return DecodeError(Problem("WireGuard's answer", what, expected, given))
