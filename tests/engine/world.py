"""A model of what is outside of the engine: a broker that retains, connections that break, a clock. Pure."""

import json
from dataclasses import dataclass, field
from ipaddress import ip_network

from wgmqtt import engine
from wgmqtt.effects import (
    BreakSession,
    CloseBroker,
    Effect,
    OpenBroker,
    PublishStatus,
    PublishTable,
    ReadRetained,
    Say,
    WakeAt,
)
from wgmqtt.events import Acked, BrokerDown, BrokerUp, Event, Now, PeersSeen, ReadBack, Reported, Woken
from wgmqtt.model import BrokerAddress, Config, Endpoint, Hub, PublicKey, Router, Sighting, link_of
from wgmqtt.state import State
from wgmqtt.wire import Table, decode_table

NAMES = ("berlin", "cologne", "dresden")
WALL_S = 1_700_000_000.0


def key_of(name: str) -> PublicKey:
    """Return a key that belongs to this name."""
    return PublicKey(name.encode().ljust(32, b"\1"))


def make_config(names: tuple[str, ...] = NAMES, links: tuple[tuple[str, str], ...] | None = None) -> Config:
    """Return a configuration of these routers, meshed unless links are given."""
    pairs = links if links is not None else tuple((a, b) for a in names for b in names if a < b)
    return Config(
        hub=Hub("hub1", ("wg0",), key_of("hub"), "10.99.0.1"),
        broker=BrokerAddress("10.99.0.1"),
        broker_for_routers=BrokerAddress("10.99.0.1"),
        username="hub",
        password_file="/nowhere",
        router_password_dir="/nowhere",
        prefix="wgmqtt/v1",
        routers=tuple(
            Router(name, key_of(name), (7, 20), "wireguard1", f"10.98.0.{number}")
            for number, name in enumerate(names, 2)
        ),
        links=frozenset(link_of(*pair) for pair in pairs),
        also_publish=(ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")),
    )


@dataclass
class World:
    """The engine in its surroundings. Messages wait until delivered; a connection can break between any two."""

    state: State
    mono_s: float = 100.0
    wall_s: float = WALL_S  # Unix time at monotonic 0
    retained: dict[str, bytes] = field(default_factory=dict)
    wake_s: float = 0.0
    reachable: bool = True
    waiting: list[Event] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    published: list[tuple[str, Table]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    generation: int = 0

    def step(self, event: Event) -> None:
        """Let the engine take one event, and the surroundings take what it wants done."""
        self.state, effects = engine.step(self.state, event, Now(self.mono_s, self.wall_s + self.mono_s))
        assert isinstance(effects[-1], WakeAt)
        for effect in effects:
            self._take(effect)

    def _take(self, effect: Effect) -> None:
        match effect:
            case WakeAt():
                self.wake_s = effect.mono_s
            case Say():
                self.said.append(effect.phrase)
            case OpenBroker():
                self.generation = effect.generation
                up = BrokerUp(effect.generation) if self.reachable else BrokerDown(effect.generation, "refused")
                self.waiting.append(up)
            case CloseBroker():
                self.waiting = [event for event in self.waiting if getattr(event, "generation", None) is None]
            case ReadRetained():
                wanted = {topic: self.retained[topic] for topic in effect.topics if topic in self.retained}
                self.waiting.append(ReadBack(effect.generation, wanted))
            case PublishTable():
                self.retained[effect.topic] = effect.payload
                self.published.append((effect.router, decode_table(effect.payload, effect.topic)))
                self.waiting.append(Acked(effect.generation, effect.router, effect.seq))
            case PublishStatus():
                self.retained[effect.topic] = effect.payload
            case BreakSession():
                self.broken.append(effect.router)

    def deliver(self) -> None:
        """Let everything arrive that is on its way, and what comes of it."""
        while self.waiting:
            self.step(self.waiting.pop(0))

    def wait(self, seconds: float) -> None:
        """Let time pass, waking the engine as it asked."""
        self.deliver()
        end_s = self.mono_s + seconds
        while self.wake_s <= end_s:
            self.mono_s = max(self.mono_s, self.wake_s)
            self.step(Woken())
            self.deliver()
        self.mono_s = end_s

    def connect(self) -> None:
        """Bring the first connection up."""
        self.step(Woken())
        self.deliver()

    def lose_broker(self) -> None:
        """Break the connection; what was on its way back is gone."""
        self.waiting.clear()
        self.step(BrokerDown(self.generation, "disconnected"))

    def see(self, name: str, address: str | None, port: int = 51820, interface: str = "wg0") -> None:
        """Let WireGuard show a peer somewhere."""
        endpoint = Endpoint(address, port) if address else None
        sighting = Sighting(key_of(name), endpoint, WALL_S + self.mono_s)
        self.step(PeersSeen(interface, (sighting,)))

    def answer(self, name: str, stage: str = "applied") -> None:
        """Let a router report on its newest table."""
        body = {"v": 1, "seq": str(self.table_of(name).seq), "stage": stage, "peers": []}
        self.step(Reported(self.generation, name, json.dumps(body).encode()))

    def table_of(self, name: str) -> Table:
        """Return what the broker holds for a router."""
        topic = f"wgmqtt/v1/{name}/endpoints"
        return decode_table(self.retained[topic], topic)

    def told(self, name: str, of: str) -> str:
        """Return where the broker's table for `name` says that `of` is."""
        return str(next(peer.endpoint for peer in self.table_of(name).peers if peer.name == of))


def make_world(config: Config | None = None) -> World:
    """Return a fresh start."""
    return World(engine.start(config or make_config(), "m"))
