"""Which endpoints are known, over all interfaces: what the nftables table holds, and what it lacks. Pure."""

from collections import Counter

from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.watch.ruleset import Change, element
from wgmqtt.wireguard.kernel_decode import Differences

STALE_S = 180.0
"""A session lasts no longer (REJECT_AFTER_TIME, WireGuard's paper, 6.1); then another peer may have the place."""


class Known:
    """The endpoints of peers with a live session, kept up with differences; changes wait until `drain`."""

    def __init__(self) -> None:
        self._ports: dict[str, int] = {}
        self._peers: dict[str, dict[PublicKey, tuple[str, float]]] = {}
        self._holders: Counter[str] = Counter()
        self._stirred: set[str] = set()
        self._told: set[str] = set()
        self._told_ports: set[int] = set()

    def interfaces(self, port: int) -> list[str]:
        """Return the interfaces that listen there."""
        return [name for name, number in self._ports.items() if number == port]

    def holds(self, port: int, endpoint: Endpoint) -> bool:
        """Return whether a peer with a live session speaks from there, be the table told or not."""
        return element(port, endpoint.address, endpoint.port) in self._holders

    def take(self, interface: str, port: int, found: Differences, now_s: float) -> None:
        """Take in what differs in one dump of an interface that listens at `port` (not 0). `now_s` is Unix time."""
        if self._ports.get(interface) != port:
            self.forget(interface)
            self._ports[interface] = port
        peers = self._peers.setdefault(interface, {})
        for key in found.removed:
            self._release(peers, key)
        for peer in found.changed:
            self._release(peers, peer.key)
            if peer.endpoint is not None and peer.handshake_s > now_s - STALE_S:
                place = element(port, peer.endpoint.address, peer.endpoint.port)
                peers[peer.key] = (place, peer.handshake_s)
                self._holders[place] += 1
                self._stirred.add(place)

    def forget(self, interface: str) -> None:
        """Drop an interface and all of its peers: the next differences are taken as from nothing."""
        peers = self._peers.pop(interface, {})
        for key in tuple(peers):
            self._release(peers, key)
        self._ports.pop(interface, None)

    def expire(self, now_s: float) -> None:
        """Drop peers whose session has ended; a new handshake brings them back."""
        for peers in self._peers.values():
            old = [key for key, (_, handshake_s) in peers.items() if handshake_s <= now_s - STALE_S]
            for key in old:
                self._release(peers, key)

    def drain(self) -> Change:
        """Return what must be told to the table, and count it as told."""
        ports = set(self._ports.values())
        stirred = sorted(self._stirred)
        change = Change(
            ports_added=tuple(sorted(ports - self._told_ports)),
            ports_removed=tuple(sorted(self._told_ports - ports)),
            added=tuple(place for place in stirred if place in self._holders and place not in self._told),
            removed=tuple(place for place in stirred if place not in self._holders and place in self._told),
        )
        self._told.update(change.added)
        self._told.difference_update(change.removed)
        self._told_ports = ports
        self._stirred.clear()
        return change

    def renew(self) -> None:
        """Count nothing as told: the table is made anew."""
        self._told.clear()
        self._told_ports.clear()
        self._stirred = set(self._holders)

    def _release(self, peers: dict[PublicKey, tuple[str, float]], key: PublicKey) -> None:
        place, _ = peers.pop(key, ("", 0.0))
        if place:
            self._holders[place] -= 1
            if not self._holders[place]:
                del self._holders[place]
            self._stirred.add(place)
