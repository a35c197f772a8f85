"""Snapshots of an interface's peers, and what differs between two of them."""

import struct
import sys
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from wgmqtt.errors import DecodeError, Problem
from wgmqtt.model import MAX_PORT, Endpoint, PeerState, PublicKey

FRESH_S = 180.0
"""A session lasts no longer (REJECT_AFTER_TIME, WireGuard's paper, 6.1)."""
TIMESPEC = struct.Struct("=qq")
_LOW_WORD = 0xFFFFFFFF
_AF_UNSPEC, _AF_INET, _AF_INET6 = 0, 2, 10  # bits/socket.h
_SOCKADDR_IN6_BYTES = 28


class RawPeer(NamedTuple):
    """One peer as WireGuard described it. Undecoded, so that comparing ten thousand unchanged peers is cheap.

    `endpoint` is the kernel's sockaddr or the userspace interface's text, empty if the peer has none.
    `handshake` is a `struct __kernel_timespec`, empty if absent.
    """

    endpoint: bytes | str = b""
    handshake: bytes = b""
    rx: int = 0
    tx: int = 0


Snapshot = dict[bytes, RawPeer]
"""The peers of one interface at one time, by the 32 bytes of their public keys."""
NO_PEERS: Mapping[bytes, RawPeer] = {}


@dataclass(frozen=True, slots=True)
class Device:
    """The hub's own end. A userspace interface, or one without a private key, names no public key."""

    public_key: PublicKey | None
    listen_port: int


@dataclass(frozen=True, slots=True)
class Differences:
    """What changed between two snapshots: peers that are new or changed, and peers that are gone."""

    changed: tuple[PeerState, ...]
    removed: tuple[PublicKey, ...]


def differences(
    old: Snapshot, new: Snapshot, *, complete: bool, now_s: float, unconfirmed: AbstractSet[bytes] = frozenset()
) -> Differences:
    """Return the peers that are new or have another endpoint or handshake, and the removed ones.

    A peer of which only the counters changed counts only if it is `unconfirmed` and was heard now. An incomplete dump
    (NLM_F_DUMP_INTR) removes nobody. `now_s` is Unix time.

    Raises:
        DecodeError: an endpoint is malformed.
    """
    # Compare whole peers first, in one comprehension: in most dumps most peers are equal byte for byte.
    unequal = [(key, old.get(key), peer) for key, peer in new.items() if old.get(key) != peer]
    changed = []
    for key, before, peer in unequal:
        if before is None or _changed(before, peer):
            changed.append(peer_state(key, peer, is_heard=_is_heard(before, peer, now_s)))
        elif key in unconfirmed and _is_heard(before, peer, now_s):
            changed.append(peer_state(key, peer, is_heard=True))
    added = sum(before is None for _, before, _ in unequal)
    some_are_gone = complete and len(new) - added < len(old)
    removed = tuple(PublicKey(key) for key in old if key not in new) if some_are_gone else ()
    return Differences(tuple(changed), removed)


def _changed(before: RawPeer, peer: RawPeer) -> bool:
    if before.handshake != peer.handshake:
        return True
    return before.endpoint != peer.endpoint and _endpoint(before.endpoint) != _endpoint(peer.endpoint)


def _is_heard(before: RawPeer | None, peer: RawPeer, now_s: float) -> bool:
    """Return whether WireGuard heard this peer since the snapshot before: it has a session, and its counter grew.

    Without a counter to compare with, because the peer is new or its interface was made again, a session that still
    lasts counts. The kernel sets an endpoint a moment before it counts the bytes, so a peer that moved may count as
    heard only in the next snapshot.
    """
    handshake_s = _handshake_s(peer.handshake)
    if not handshake_s:
        return False
    if before is None or peer.rx < before.rx:
        return handshake_s > now_s - FRESH_S
    return peer.rx > before.rx


def grown(before: Snapshot, after: Snapshot, keys: AbstractSet[bytes]) -> tuple[PublicKey, ...]:
    """Return those of `keys` whose receive counter grew between two snapshots: these peers are alive.

    A peer that is only in one of them, or whose counter fell (its interface was made again), proves nothing.
    """
    return tuple(
        PublicKey(key) for key in sorted(keys) if key in before and key in after and after[key].rx > before[key].rx
    )


def peer_state(key: bytes, peer: RawPeer, *, is_heard: bool = False) -> PeerState:
    """Return one peer, decoded. At port 0 no peer counts as heard: only a hostile packet comes from there.

    Raises:
        DecodeError: the endpoint is malformed.
    """
    endpoint, handshake_s = _endpoint(peer.endpoint), _handshake_s(peer.handshake)
    is_heard = is_heard and (endpoint is None or endpoint.port > 0)
    return PeerState(PublicKey(key), endpoint, handshake_s, peer.rx, peer.tx, is_heard=is_heard)


def _handshake_s(raw: bytes) -> float:
    if not raw:
        return 0.0
    seconds, nanoseconds = TIMESPEC.unpack(raw)
    # On 32-bit machines tv_nsec may be 4 bytes followed by padding of any content.
    return float(seconds + (nanoseconds & _LOW_WORD) / 1e9)


def _endpoint(raw: bytes | str) -> Endpoint | None:
    if not raw:
        return None
    if isinstance(raw, str):
        return _parse_endpoint(raw)
    family = int.from_bytes(raw[:2], sys.byteorder)
    port = int.from_bytes(raw[2:4], "big")
    if family == _AF_UNSPEC:
        return None
    if family == _AF_INET:
        return Endpoint(str(IPv4Address(raw[4:8])), port)
    if family == _AF_INET6 and len(raw) == _SOCKADDR_IN6_BYTES:
        return _canonical(IPv6Address(raw[8:24]), port)
    raise _malformed("an endpoint", "a sockaddr_in or sockaddr_in6", f"family {family} in {len(raw)} bytes")


def _parse_endpoint(text: str) -> Endpoint:
    host, _, port = text.rpartition(":")
    try:
        endpoint = _canonical(ip_address(host.strip("[]").partition("%")[0]), int(port))
    except ValueError:
        raise _malformed("an endpoint", "address:port", repr(text)) from None
    if not 0 <= endpoint.port <= MAX_PORT:
        raise _malformed("an endpoint's port", f"0 to {MAX_PORT}", repr(text))
    return endpoint


def _canonical(address: IPv4Address | IPv6Address, port: int) -> Endpoint:
    """Return the endpoint, as IPv4 if it is IPv4: a socket for both families writes it as ::ffff:a.b.c.d."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return Endpoint(str(mapped or address), port)


def _malformed(what: str, expected: str, given: str) -> DecodeError:
    return DecodeError(Problem("WireGuard's answer", what, expected, given))
