"""A WireGuard device in memory, and what answers a ping through it. Pure.

It models what the handler can see: where each peer is believed to be (current), where it really is, the bytes received,
the last handshake. As in WireGuard, a set endpoint sends nothing by itself, and an authenticated packet from elsewhere
moves the current endpoint.
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
SESSION_S = 120  # an older session is renewed by the next packet


@dataclass(slots=True)
class Reality:
    """What the device does not know of a peer: `lives_at` are the places where packets reach it.

    `answers_ping`: a packet that reaches it is answered by a ping's reply; if not, the peer's rx grows all the same.
    `moves_to`: it answers from there, and WireGuard follows.
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
        """Return the device as it is now."""
        return DeviceState("", "", 13231, self.peers)

    def peer(self, public_key: str) -> DevicePeer | None:
        """Return one peer as it is now."""
        return self.peers.get(public_key)

    def put(self, peers: Iterable[DevicePeer], realities: Mapping[str, Reality]) -> None:
        """Put these peers in the place of all."""
        self.peers = {peer.public_key: peer for peer in peers}
        self.realities = dict(realities)

    def set_peer(self, public_key: str, settings: Settings) -> None:
        """Set parts of a peer; makes it if it is not there."""
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
        """Take a peer off the device."""
        self.peers.pop(public_key, None)

    def hear(self, public_key: str, place: Place | None = None) -> None:
        """Take a packet from a peer; from another place, the peer has roamed there."""
        old = self.peers[public_key]
        now_s = self.clock.now_ns() // 1_000_000_000
        handshake_s = old.handshake_s if now_s - old.handshake_s < SESSION_S else now_s
        self.peers[public_key] = replace(
            old, rx=old.rx + PACKET_BYTES, endpoint=place or old.endpoint, handshake_s=handshake_s
        )

    def ping(self, probing: Probing) -> bool:
        """Send one packet to whoever carries the address (`menu_ping.Probe`).

        Raises:
            ScriptError: nobody does.
        """
        key = self._carrier(probing.address)
        if key is None or probing.address in self.has_no_route:
            raise ScriptError("no route to host")
        peer = self.peers[key]
        self.peers[key] = replace(peer, tx=peer.tx + PACKET_BYTES)
        reality = self.realities.get(key, Reality())
        if peer.endpoint not in reality.lives_at:
            self.clock.sleep(probing.interval_s)
            return False
        self.clock.after(ROUND_TRIP_S, lambda: self._hear_if_there(key, reality.moves_to))
        in_time = reality.answers_ping and probing.interval_s >= ROUND_TRIP_S
        self.clock.sleep(ROUND_TRIP_S if in_time else probing.interval_s)
        return in_time

    def _hear_if_there(self, key: str, place: Place | None) -> None:
        if key in self.peers:
            self.hear(key, place)

    def _carrier(self, address: str) -> str | None:
        for key, peer in self.peers.items():
            if f"{address}/32" in peer.allowed or f"{address}/128" in peer.allowed:
                return key
        target = ip_address(address)
        for key, peer in self.peers.items():
            if any(target in ip_network(prefix) for prefix in peer.allowed):
                return key
        return None
