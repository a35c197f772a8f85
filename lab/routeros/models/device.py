"""A WireGuard device in memory, with its peers' replies to pings.

It models what the handler can observe: each peer's current endpoint, where the peer really is, the receive counter, the
last handshake. As in WireGuard, setting an endpoint sends nothing, and an authenticated packet from another address
changes the current endpoint.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network

from lab.routeros.language.errors import ScriptError
from lab.routeros.menus.device import DevicePeer, DeviceState, Settings
from lab.routeros.menus.ping import Probing
from lab.routeros.models.clock import ModelClock

Place = tuple[str, int]  # address and port

PACKET_BYTES = 128
ROUND_TRIP_S = 0.03
SESSION_S = 120  # the next packet renews an older session


@dataclass(slots=True)
class Reality:
    """What the device does not know about a peer: `lives_at` are the endpoints at which packets reach it.

    `answers_ping`: the peer replies to a ping that reaches it; if not, its rx grows nevertheless. `moves_to`: it sends
    from this endpoint, and WireGuard follows.
    """

    lives_at: frozenset[Place] = frozenset()
    answers_ping: bool = True
    moves_to: Place | None = None


@dataclass(slots=True)
class ModelDevice:
    """The interface `name`."""

    name: str
    clock: ModelClock
    peers: dict[str, DevicePeer] = field(default_factory=dict)
    realities: dict[str, Reality] = field(default_factory=dict)
    has_no_route: frozenset[str] = frozenset()  # addresses
    refuses: frozenset[str] = frozenset()  # keys of peers that cannot be set
    refuses_sets: frozenset[int] = frozenset()  # the sets that fail, counted from 1
    _sets: int = 0

    def state(self) -> DeviceState:
        """Return the current state of the device."""
        return DeviceState("", "", 13231, self.peers)

    def peer(self, public_key: str) -> DevicePeer | None:
        """Return the current state of one peer."""
        return self.peers.get(public_key)

    def put(self, peers: Iterable[DevicePeer], realities: Mapping[str, Reality]) -> None:
        """Replace all peers by these."""
        self.peers = {peer.public_key: peer for peer in peers}
        self.realities = dict(realities)

    def set_peer(self, public_key: str, settings: Settings) -> None:
        """Set some properties of a peer; create it if it does not exist."""
        self._sets += 1
        if public_key in self.refuses or self._sets in self.refuses_sets:
            raise ScriptError("failure: this peer cannot be set")
        old = self.peers.get(public_key) or DevicePeer(public_key, "", None, (), 0, 0, 0, 0)
        self.peers[public_key] = replace(
            old,
            preshared_key=old.preshared_key if settings.preshared_key is None else settings.preshared_key,
            endpoint=old.endpoint if settings.endpoint is None else settings.endpoint,
            allowed=old.allowed if settings.allowed is None else settings.allowed,
            keepalive_s=old.keepalive_s if settings.keepalive_s is None else settings.keepalive_s,
        )

    def remove_peer(self, public_key: str) -> None:
        """Remove a peer from the device."""
        self.peers.pop(public_key, None)

    def hear(self, public_key: str, place: Place | None = None) -> None:
        """Receive a packet from a peer; if it comes from another endpoint, the peer has roamed."""
        old = self.peers[public_key]
        now_s = self.clock.now_ns() // 1_000_000_000
        handshake_s = old.handshake_s if now_s - old.handshake_s < SESSION_S else now_s
        self.peers[public_key] = replace(
            old, rx=old.rx + PACKET_BYTES, endpoint=place or old.endpoint, handshake_s=handshake_s
        )

    def ping(self, probing: Probing) -> bool:
        """Send one packet to the peer that the address is routed to (`menus.ping.Probe`).

        Raises:
            ScriptError: there is no such peer.
        """
        key = self._peer_for(probing.address)
        if key is None or probing.address in self.has_no_route:
            raise ScriptError("no route to host")
        peer = self.peers[key]
        self.peers[key] = replace(peer, tx=peer.tx + PACKET_BYTES)
        reality = self.realities.get(key, Reality())
        if peer.endpoint not in reality.lives_at:
            self.clock.sleep(probing.interval_s)
            return False
        self.clock.after(ROUND_TRIP_S, lambda: self._hear_if_present(key, reality.moves_to))
        in_time = reality.answers_ping and probing.interval_s >= ROUND_TRIP_S
        self.clock.sleep(ROUND_TRIP_S if in_time else probing.interval_s)
        return in_time

    def _hear_if_present(self, key: str, place: Place | None) -> None:
        if key in self.peers:
            self.hear(key, place)

    def _peer_for(self, address: str) -> str | None:
        for key, peer in self.peers.items():
            if f"{address}/32" in peer.allowed or f"{address}/128" in peer.allowed:
                return key
        target = ip_address(address)
        for key, peer in self.peers.items():
            if any(target in ip_network(prefix) for prefix in peer.allowed):
                return key
        return None
