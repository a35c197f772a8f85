"""What WireGuard answers to a dump by netlink, and what differs from the dump before. Pure."""

import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import product
from typing import NamedTuple

from wgmqtt.errors import DecodeError, Problem
from wgmqtt.model import KEY_BYTES, MAX_PORT, Endpoint, PeerState, PublicKey

# linux/wireguard.h, enum wgdevice_attribute and enum wgpeer_attribute
DEVICE_PUBLIC_KEY, DEVICE_LISTEN_PORT, DEVICE_PEERS = 4, 6, 8
PEER_PUBLIC_KEY, PEER_ENDPOINT, PEER_HANDSHAKE, PEER_RX, PEER_TX = 1, 4, 6, 7, 8
# Lengths a peer's attributes may have, 0 when absent: sockaddr_in and sockaddr_in6, timespec, two u64.
_LENGTHS = frozenset(product((KEY_BYTES,), (0, 16, 28), (0, 16), (0, 8), (0, 8)))
_CTRL_ATTR_FAMILY_ID = 1  # linux/genetlink.h
_GENL_BYTES = 4  # struct genlmsghdr
_TYPE_MASK = 0x3FFF  # NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_ATTRIBUTE = struct.Struct("=HH")
# What Linux 6.1 to 7.2 write of a peer with an endpoint: public key, preshared key, handshake, keepalive, tx, rx,
# version, endpoint, each behind its header. Where 8 bytes must stand at multiples of 8 (32-bit ARM, user-mode Linux)
# an empty attribute comes before rx, and before tx if it needs one.
_COUNTERS = ("IQ IQ", "IQ 4x IQ", "4x IQ 4x IQ")
_USUAL = tuple(struct.Struct(f"=I32s I32x I16s I4x {tx_and_rx} I4x I") for tx_and_rx in _COUNTERS)
_USUAL_ATTRIBUTES = ((36, 1), (36, 2), (20, 6), (6, 5), (12, PEER_TX), (12, PEER_RX), (8, 10))
_USUAL_HEADS = tuple(int.from_bytes(_ATTRIBUTE.pack(*head), sys.byteorder) for head in _USUAL_ATTRIBUTES)
_SOCKADDR_LENGTHS = {
    int.from_bytes(_ATTRIBUTE.pack(4 + length, PEER_ENDPOINT), sys.byteorder): length for length in (16, 28)
}
TIMESPEC = struct.Struct("=qq")
_LOW_WORD = 0xFFFFFFFF
_AF_UNSPEC, _AF_INET, _AF_INET6 = 0, 2, 10  # bits/socket.h
_SOCKADDR_IN6_BYTES = 28


class RawPeer(NamedTuple):
    """One peer as it came, so that ten thousand unchanged ones cost a comparison of bytes and nothing else.

    `endpoint` is the kernel's sockaddr, or the userspace interface's text; empty when there is none.
    `handshake` is a `struct __kernel_timespec`, empty when absent.
    """

    endpoint: bytes | str = b""
    handshake: bytes = b""
    rx: int = 0
    tx: int = 0


Snapshot = dict[bytes, RawPeer]
"""One dump: the peers of one interface by their 32 bytes of public key."""
NOBODY: Mapping[bytes, RawPeer] = {}


@dataclass(frozen=True, slots=True)
class Device:
    """The hub's own end. The userspace interface names no public key, nor does a device without a private one."""

    public_key: PublicKey | None
    listen_port: int


@dataclass(frozen=True, slots=True)
class Differences:
    """What one dump has that the one before had not, and the other way round."""

    changed: tuple[PeerState, ...]
    removed: tuple[PublicKey, ...]


def merge_message(snapshot: Snapshot, payload: bytes, known: Mapping[bytes, RawPeer] = NOBODY) -> None:
    """Put the peers of one answer to WG_CMD_GET_DEVICE into `snapshot`.

    `payload` is the message after its nlmsghdr. A peer with many allowed IPs is cut over several messages
    (linux/wireguard.h, WG_CMD_GET_DEVICE), its endpoint only in the first: an absent attribute erases nothing.
    `known` is the snapshot before: who is as there stays that object, so that ten thousand of them cost no memory.

    Raises:
        DecodeError: the message is cut short, or an attribute that matters has a length it cannot have.
    """
    for kind, start, end in _attributes(payload, _GENL_BYTES, len(payload)):
        if kind == DEVICE_PEERS:
            _merge_peers(snapshot, payload, (start, end), known)


def _merge_peers(snapshot: Snapshot, payload: bytes, span: tuple[int, int], known: Mapping[bytes, RawPeer]) -> None:
    """Merge the peers in one part of a message. The walk of `_attributes`, in line: it runs for every peer."""
    (start, end), last, unpack = span, len(payload) - 4, _ATTRIBUTE.unpack_from
    while start < end:
        length = unpack(payload, start)[0] if start <= last else 0
        stop = start + length
        if length < 4 or stop > end:  # noqa: PLR2004 - the header's own size
            raise _bad("a peer is cut short", f"4 to {end - start} bytes", f"{length} bytes")
        if not _take_usual_peer(snapshot, payload, start + 4, stop, known):
            _merge_peer(snapshot, payload, start + 4, stop)
        start = (stop + 3) & ~3


def _take_usual_peer(
    snapshot: Snapshot, payload: bytes, start: int, end: int, known: Mapping[bytes, RawPeer] = NOBODY
) -> bool:
    """Take a peer that has an endpoint and is laid out as kernels do, in one step; else take nothing, return False.

    Three times as fast as the walk; every header is checked, so another layout costs time and nothing else.
    """
    for usual in _USUAL:
        at = start + usual.size
        if at > end:
            return False
        one, key, two, three, handshake, four, five, tx, six, rx, seven, eight = usual.unpack_from(payload, start)
        length = _SOCKADDR_LENGTHS.get(eight)
        if length is not None and (one, two, three, four, five, six, seven) == _USUAL_HEADS and at + length <= end:
            found = (payload[at : at + length], handshake, rx, tx)
            peer = known.get(key)
            # An object that stays costs no memory, and is nothing new that Python's collector of cycles would visit.
            snapshot[key] = RawPeer(*found) if peer is None or found != tuple(peer) else peer
            return True
    return False


def _attributes(payload: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """Return type, start and end of each netlink attribute (netlink(7), include/uapi/linux/netlink.h)."""
    found = []
    while start < end:
        # At the buffer's end fewer than 4 bytes may be left; elsewhere a header cut short names more than there is.
        length, kind = _ATTRIBUTE.unpack_from(payload, start) if start + 4 <= len(payload) else (0, 0)
        stop = start + length
        if length < _ATTRIBUTE.size or stop > end:
            raise _bad("an attribute is cut short", f"4 to {end - start} bytes", f"{length} bytes")
        found.append((kind & _TYPE_MASK, start + _ATTRIBUTE.size, stop))
        start = (stop + 3) & ~3
    return found


def _merge_peer(snapshot: Snapshot, payload: bytes, start: int, end: int) -> None:
    """Merge one peer. The walk of `_attributes` again, in line: this runs for every peer of every dump."""
    found: dict[int, bytes] = {}
    unpack = _ATTRIBUTE.unpack_from
    last = len(payload) - 4
    while start < end:
        length, kind = unpack(payload, start) if start <= last else (0, 0)
        stop = start + length
        if length < 4 or stop > end:  # noqa: PLR2004 - the header's own size, in line
            raise _bad("a peer's attribute is cut short", f"4 to {end - start} bytes", f"{length} bytes")
        found[kind & _TYPE_MASK] = payload[start + 4 : stop]
        start = (stop + 3) & ~3
    get = found.get
    key, endpoint, handshake = get(PEER_PUBLIC_KEY, b""), get(PEER_ENDPOINT, b""), get(PEER_HANDSHAKE, b"")
    rx, tx = get(PEER_RX, b""), get(PEER_TX, b"")
    lengths = (len(key), len(endpoint), len(handshake), len(rx), len(tx))
    if lengths not in _LENGTHS:
        raise _bad("a peer's key, endpoint, handshake, rx or tx", "32, 16 or 28, 16, 8, 8 bytes", f"{lengths} bytes")
    peer = RawPeer(endpoint, handshake, int.from_bytes(rx, sys.byteorder), int.from_bytes(tx, sys.byteorder))
    before = snapshot.get(key)
    if before is not None:
        peer = RawPeer(endpoint or before[0], handshake or before[1], peer.rx or before[2], peer.tx or before[3])
    snapshot[key] = peer


def decode_device(payload: bytes) -> Device | None:
    """Return the device of a dump's first message; None for the later ones, which carry only peers."""
    found = {kind: payload[start:end] for kind, start, end in _attributes(payload, _GENL_BYTES, len(payload))}
    port, key = found.get(DEVICE_LISTEN_PORT), found.get(DEVICE_PUBLIC_KEY)
    if port is None:
        return None
    if len(port) != 2 or (key is not None and len(key) != KEY_BYTES):  # noqa: PLR2004 - a u16
        raise _bad("a device's attributes", "a port of 2 bytes, a key of 32")
    return Device(PublicKey(key) if key is not None else None, int.from_bytes(port, sys.byteorder))


def family_id(payload: bytes) -> int:
    """Return the number in an answer to CTRL_CMD_GETFAMILY (linux/genetlink.h), the payload after its nlmsghdr."""
    for kind, start, end in _attributes(payload, _GENL_BYTES, len(payload)):
        if kind == _CTRL_ATTR_FAMILY_ID:
            return int.from_bytes(payload[start:end], sys.byteorder)
    raise _bad("no family's number")


def differences(old: Snapshot, new: Snapshot, *, complete: bool) -> Differences:
    """Return the peers of `new` that are not in `old` or have another endpoint or handshake, and those gone.

    Counters alone are no difference. From a dump that is not complete (NLM_F_DUMP_INTR) nobody is gone.

    Raises:
        DecodeError: an endpoint or a time that cannot be read.
    """
    # Equality first, in one comprehension: most peers of most dumps did not even move a byte.
    stirred = [(key, old.get(key), peer) for key, peer in new.items() if old.get(key) != peer]
    changed = tuple(sighting(key, peer) for key, before, peer in stirred if before is None or _moved(before, peer))
    added = sum(before is None for _, before, _ in stirred)
    gone = complete and len(new) - added < len(old)
    return Differences(changed, tuple(PublicKey(key) for key in old if key not in new) if gone else ())


def _moved(before: RawPeer, peer: RawPeer) -> bool:
    if before.handshake != peer.handshake:
        return True
    return before.endpoint != peer.endpoint and _endpoint(before.endpoint) != _endpoint(peer.endpoint)


def sighting(key: bytes, peer: RawPeer) -> PeerState:
    """Return one peer as a frozen value."""
    return PeerState(PublicKey(key), _endpoint(peer.endpoint), _handshake_s(peer.handshake), peer.rx, peer.tx)


def _handshake_s(raw: bytes) -> float:
    if not raw:
        return 0.0
    seconds, nanoseconds = TIMESPEC.unpack(raw)
    # On 32-bit machines tv_nsec may be 4 bytes and padding; the padding says nothing.
    return float(seconds + (nanoseconds & _LOW_WORD) / 1e9)


def _endpoint(raw: bytes | str) -> Endpoint | None:
    if not raw:
        return None
    if isinstance(raw, str):
        return _endpoint_of_text(raw)
    family = int.from_bytes(raw[:2], sys.byteorder)
    port = int.from_bytes(raw[2:4], "big")
    if family == _AF_UNSPEC:
        return None
    if family == _AF_INET:
        return Endpoint(str(IPv4Address(raw[4:8])), port)
    if family == _AF_INET6 and len(raw) == _SOCKADDR_IN6_BYTES:
        return _canonical(IPv6Address(raw[8:24]), port)
    raise _bad("an endpoint", "a sockaddr_in or sockaddr_in6", f"family {family} in {len(raw)} bytes")


def _endpoint_of_text(text: str) -> Endpoint:
    host, _, port = text.rpartition(":")
    try:
        endpoint = _canonical(ip_address(host.strip("[]").partition("%")[0]), int(port))
    except ValueError:
        raise _bad("an endpoint", "address:port", repr(text)) from None
    if not 0 <= endpoint.port <= MAX_PORT:
        raise _bad("an endpoint's port", f"0 to {MAX_PORT}", repr(text))
    return endpoint


def _canonical(address: IPv4Address | IPv6Address, port: int) -> Endpoint:
    """Return the endpoint as IPv4 where it is IPv4: a socket for both families writes it ::ffff:a.b.c.d."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return Endpoint(str(mapped or address), port)


def _bad(what: str, allowed: str = "", given: str = "") -> DecodeError:
    return DecodeError(Problem("WireGuard's answer", what, allowed, given))
