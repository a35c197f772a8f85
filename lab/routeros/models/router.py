"""A router whose surroundings are in memory: no root, no network, no waiting.

The language and the menus are those of the real sites; only clock, device, ping and broker are models.
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
INSTALLED_S, QUIET_S = 5.0, 60.0  # how long, by the clock, the effects of a script or of a table may last


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that the router reported."""

    ms: float
    kind: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer before a script runs. `current` None: as configured; `age_s` None: no handshake yet.

    `interface`: the name of another interface that the menu shows for it.
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
        """Reset all peers to their state at the start, and forget the events."""
        self._put([peer.current or peer.configured for peer in self._peers], self._peers)
        for peer in self._peers:
            address, port = peer.configured or ("", 0)
            configured: dict[str, Value] = {"endpoint-address": _read_address(address), "endpoint-port": port}
            self.item(peer.key).kept.update(configured)
        self.events.clear()

    def item(self, public_key: str) -> Item:
        """Return the peer's item in the router's menu."""
        menu = self.router.menu("/interface/wireguard/peers")
        assert isinstance(menu, PeersMenu)
        return next(item for item in menu.items.values() if item.kept["public-key"] == public_key)

    def _put(self, places: list[tuple[str, int] | None], peers: tuple[Peer, ...]) -> None:
        """Put the peers on the device; when the router starts, it takes the endpoints that it finds as configured."""
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
        """Import a script and wait until what it starts has finished; raises ScriptError."""
        self.router.run_import(script)
        self.clock.settle(INSTALLED_S)

    def receive(self, topic: str, payload: bytes) -> list[Happened]:
        """Publish as the hub, and return the events until the router is idle again."""
        before = len(self.events)
        self.hub_publishes(topic, payload)
        self.clock.settle(QUIET_S)
        return self.events[before:]

    def hub_publishes(self, topic: str, payload: bytes) -> None:
        """Publish a retained message as the hub does; the handler starts when the clock advances."""
        if payload:
            self.broker.retained[topic] = payload
        else:
            self.broker.retained.pop(topic, None)
        for link in list(self.broker.links):
            link.take(topic, payload)

    def find(self, kind: str) -> Iterator[Happened]:
        """Return the events of one kind."""
        return (event for event in self.events if event.kind == kind)
