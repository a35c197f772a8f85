"""A router whose surroundings are all in memory: no root, no network, no waiting. Pure, but for the clock's threads.

The language and the menus are those of the lab's sites; only clock, device, ping and broker are models.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lab.routeros.language.values import Value
from lab.routeros.menus.arguments import read_address
from lab.routeros.menus.device import DevicePeer
from lab.routeros.menus.items import Item
from lab.routeros.menus.wireguard import PeersMenu
from lab.routeros.models.broker import ModelBroker
from lab.routeros.models.clock import ModelClock
from lab.routeros.models.device import ModelDevice, Reality
from lab.routeros.router import Router, Site
from lab.routeros.surroundings import Surroundings
from lab.routeros.switches import Switches

USUAL = Switches()
INSTALLED_S, QUIET_S = 5.0, 60.0  # by the clock: how long what a script, or a table, began may go on


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the router, as `site.py` would have written it."""

    ms: float
    kind: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer before a script runs. `current` None: as configured; `age_s` None: no handshake yet.

    `interface`: another than the device's (whose peers are the same device's here).
    """

    key: str
    configured: tuple[str, int] | None
    allowed: tuple[str, ...]
    current: tuple[str, int] | None = None
    age_s: int | None = None
    keepalive_s: int = 25
    interface: str = ""
    reality: Reality = field(default_factory=Reality)


def _read_address(text: str) -> Value:
    return read_address("endpoint-address", text) if text else ""


class ModelRouter:
    """One router, its broker and its device."""

    def __init__(
        self,
        version: str,
        peers: Iterable[Peer],
        switches: Switches = USUAL,
        interface: str = "wireguard1",
        clock: ModelClock | None = None,
    ) -> None:
        self.clock = clock or ModelClock()
        self.broker = ModelBroker(self.clock)
        self.device = ModelDevice(interface, self.clock)
        self.events: list[Happened] = []
        self._peers = peers = tuple(peers)
        self._put([peer.configured for peer in peers], peers)
        around = Surroundings(self.clock, self.device, self.device.ping, self.broker.make_link, tuple)
        self.router = Router(Site("router", interface, version), switches, self._emit, around)
        self.put_back()
        for peer in peers:
            if peer.interface:
                self.item(peer.key).kept["interface"] = peer.interface

    def put_back(self) -> None:
        """Bring endpoints, sessions and realities of all peers to what they were at first, and forget the events."""
        self._put([peer.current or peer.configured for peer in self._peers], self._peers)
        for peer in self._peers:
            address, port = peer.configured or ("", 0)
            configured: dict[str, Value] = {"endpoint-address": _read_address(address), "endpoint-port": port}
            self.item(peer.key).kept.update(configured)
        self.events.clear()

    def item(self, public_key: str) -> Item:
        """Return the peer as the router's menu keeps it."""
        menu = self.router.menu("/interface/wireguard/peers")
        assert isinstance(menu, PeersMenu)
        return next(item for item in menu.items.values() if item.kept["public-key"] == public_key)

    def _put(self, places: list[tuple[str, int] | None], peers: tuple[Peer, ...]) -> None:
        """Put the peers on the device; the router takes what it finds at its start for configured."""
        now_s = self.clock.now_ns() // 1_000_000_000
        self.device.put(
            [
                DevicePeer(
                    peer.key,
                    "",
                    place,
                    peer.allowed,
                    0 if peer.age_s is None else now_s - peer.age_s,
                    0 if peer.age_s is None else 1000,
                    0,
                    peer.keepalive_s,
                )
                for peer, place in zip(peers, places, strict=True)
            ],
            {peer.key: peer.reality for peer in peers},
        )

    def _emit(self, kind: str, fields: Mapping[str, object]) -> None:
        self.events.append(Happened(self.clock.now_ms(), kind, fields))

    def install(self, script: str) -> None:
        """Import a script and let what it starts come to an end; raises ScriptError."""
        self.router.run_import(script)
        self.clock.settle(INSTALLED_S)

    def receive(self, topic: str, payload: bytes) -> list[Happened]:
        """Let the hub publish, and return what happened until the router was quiet again."""
        before = len(self.events)
        self.hub_publishes(topic, payload)
        self.clock.settle(QUIET_S)
        return self.events[before:]

    def hub_publishes(self, topic: str, payload: bytes) -> None:
        """Put a retained message at the broker, as the hub does; the handler starts with the next turn."""
        if payload:
            self.broker.retained[topic] = payload
        else:
            self.broker.retained.pop(topic, None)
        for link in list(self.broker.links):
            link.take(topic, payload)

    def find(self, kind: str) -> Iterator[Happened]:
        """Give the events of one kind."""
        return (event for event in self.events if event.kind == kind)
