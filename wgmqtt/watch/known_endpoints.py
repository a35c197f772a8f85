"""The known endpoints of all interfaces: what the nftables table should hold, and what it does not hold yet."""

from collections import Counter

from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.watch.ruleset import Change, element
from wgmqtt.wireguard.snapshot import FRESH_S, Differences


class KnownEndpoints:
    """The endpoints of peers with a live session, updated with differences. Changes wait until `drain`.

    When a session has ended, another peer may use its endpoint.
    """

    def __init__(self) -> None:
        self._ports: dict[str, int] = {}
        self._peers: dict[str, dict[PublicKey, tuple[str, float]]] = {}
        self._users: Counter[str] = Counter()
        """How many peers use each element."""
        self._changed: set[str] = set()
        self._in_table: set[str] = set()
        self._ports_in_table: set[int] = set()

    @property
    def has_ports(self) -> bool:
        """Return whether any interface listens."""
        return bool(self._ports)

    def interfaces(self, port: int) -> list[str]:
        """Return the interfaces that listen on `port`."""
        return [name for name, number in self._ports.items() if number == port]

    def holds(self, port: int, endpoint: Endpoint) -> bool:
        """Return whether a peer with a live session uses this endpoint, even if the table does not hold it yet."""
        return element(port, endpoint.address, endpoint.port) in self._users

    def update(self, interface: str, port: int, found: Differences, now_s: float) -> None:
        """Take in what changed in a dump of an interface that listens on `port` (not 0). `now_s` is Unix time."""
        if self._ports.get(interface) != port:
            self.forget(interface)
            self._ports[interface] = port
        peers = self._peers.setdefault(interface, {})
        for key in found.removed:
            self._release(peers, key)
        for peer in found.changed:
            self._release(peers, peer.key)
            if peer.endpoint is not None and peer.handshake_s > now_s - FRESH_S:
                used = element(port, peer.endpoint.address, peer.endpoint.port)
                peers[peer.key] = (used, peer.handshake_s)
                self._users[used] += 1
                self._changed.add(used)

    def forget(self, interface: str) -> None:
        """Drop an interface and its peers. Its next differences must be those from nothing."""
        peers = self._peers.pop(interface, {})
        for key in tuple(peers):
            self._release(peers, key)
        self._ports.pop(interface, None)

    def expire(self, now_s: float) -> None:
        """Drop peers whose session has ended; a new handshake brings them back."""
        for peers in self._peers.values():
            old = [key for key, (_, handshake_s) in peers.items() if handshake_s <= now_s - FRESH_S]
            for key in old:
                self._release(peers, key)

    def drain(self) -> Change:
        """Return what the table lacks and what it has too much, and count it as applied."""
        ports = set(self._ports.values())
        changed = sorted(self._changed)
        change = Change(
            ports_added=tuple(sorted(ports - self._ports_in_table)),
            ports_removed=tuple(sorted(self._ports_in_table - ports)),
            added=tuple(each for each in changed if each in self._users and each not in self._in_table),
            removed=tuple(each for each in changed if each not in self._users and each in self._in_table),
        )
        self._in_table.update(change.added)
        self._in_table.difference_update(change.removed)
        self._ports_in_table = ports
        self._changed.clear()
        return change

    def start_over(self) -> None:
        """Count nothing as applied: the table is made again, empty."""
        self._in_table.clear()
        self._ports_in_table.clear()
        self._changed = set(self._users)

    def _release(self, peers: dict[PublicKey, tuple[str, float]], key: PublicKey) -> None:
        used, _ = peers.pop(key, ("", 0.0))
        if used:
            self._users[used] -= 1
            if not self._users[used]:
                del self._users[used]
            self._changed.add(used)
