"""A model of what surrounds the engine: a broker that retains, connections that break, a clock."""

import json
from dataclasses import dataclass, field
from ipaddress import ip_network

from tests.engine.broker_model import BrokerModel
from wgmqtt.engine.effects import (
    CloseBroker,
    Effect,
    OpenBroker,
    PublishStatus,
    PublishTable,
    ReadRetained,
    ResetConnection,
    WakeAt,
)
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import (
    Acked,
    BrokerDown,
    BrokerUp,
    Event,
    HubMessage,
    Now,
    PeersPolled,
    ReadBack,
    Reported,
    TableOverwritten,
    Woken,
)
from wgmqtt.engine.state import State
from wgmqtt.logline import Say
from wgmqtt.model import BrokerAddress, Config, Endpoint, Hub, PeerState, PublicKey, Router, link_of
from wgmqtt.wire.hub import Online, encode_online
from wgmqtt.wire.table import Table, decode_table

NAMES = ("berlin", "cologne", "dresden")
PAIR = ("203.0.113.1", "203.0.113.2")
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


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way to the broker. It is lost if the connection breaks before it arrives."""

    topic: str
    payload: bytes
    is_retained: bool = True


@dataclass
class World:
    """The engine in its surroundings. Messages wait in transit until delivered; a connection can break between any two.

    Several worlds may share one broker: daemons with one hub name, each on its own machine.
    """

    engine: Engine
    broker: BrokerModel = field(default_factory=BrokerModel)
    mono_s: float = 100.0
    wall_s: float = WALL_S  # Unix time at monotonic 0
    wake_s: float = 0.0
    reachable: bool = True
    waiting: list[Event | Sent] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    published: list[tuple[str, Table]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    """Every message that was published: tables, and those about the hub."""
    reset: list[str] = field(default_factory=list)
    generation: int = 0
    expected: dict[str, list[bytes]] = field(default_factory=dict)
    """The newest payload of each table, and the one before."""

    @property
    def retained(self) -> dict[str, bytes]:
        """Return what the broker retains."""
        return self.broker.retained

    @retained.setter
    def retained(self, messages: dict[str, bytes]) -> None:
        self.broker.retained = messages

    @property
    def state(self) -> State:
        """Return what the engine knows."""
        return self.engine.state

    @property
    def now(self) -> Now:
        """Return this moment."""
        return Now(self.mono_s, self.wall_s + self.mono_s)

    @property
    def phase(self) -> str:
        """Return how far the connection to the broker is."""
        return self.state.session.phase

    def step(self, event: Event) -> None:
        """Let the engine take one event, and the surroundings take what it wants done."""
        effects = self.engine.handle(event, self.now)
        assert isinstance(effects[-1], WakeAt)
        self.carry_out(effects)

    def carry_out(self, effects: list[Effect]) -> None:
        """Let the surroundings do what the engine wants done."""
        for effect in effects:
            self._take(effect)

    def _take(self, effect: Effect) -> None:
        match effect:
            case WakeAt():
                self.wake_s = effect.mono_s
            case Say():
                self.logged.append(effect.phrase)
                if effect.level == "warning":
                    self.warnings.append(effect.phrase)
            case OpenBroker():
                self.generation = effect.generation
                up = BrokerUp(effect.generation) if self.reachable else BrokerDown(effect.generation, "refused")
                self.waiting.append(up)
            case CloseBroker():
                self.close()
            case PublishTable() | PublishStatus() | ReadRetained():
                if effect.generation == self.generation:
                    self._talk(effect)
            case ResetConnection():
                self.reset.append(effect.router)

    def _talk(self, effect: PublishTable | PublishStatus | ReadRetained) -> None:
        match effect:
            case ReadRetained():
                tables = dict(effect.tables)
                self.expected = {topic: [self.retained.get(topic, b"")] for topic in tables}
                topics = (*effect.hub, *effect.topics, *tables)
                wanted = {topic: self.retained[topic] for topic in topics if topic in self.retained}
                self.waiting.append(ReadBack(effect.generation, wanted))
                self._listen(effect.generation, effect.hub, tables)
            case PublishTable():
                self.published.append((effect.router, decode_table(effect.payload, effect.topic)))
                if not self.state.is_dry:
                    self.expected[effect.topic] = [*self.expected[effect.topic], effect.payload][-2:]
                    self._send(Sent(effect.topic, effect.payload))
                self.waiting.append(Acked(effect.generation, effect.router, effect.seq))
            case PublishStatus() if not self.state.is_dry:
                self._send(Sent(effect.topic, effect.payload, effect.is_retained))

    def _send(self, message: Sent) -> None:
        self.sent.append(message)
        self.waiting.append(message)

    def _listen(self, generation: int, hub: tuple[str, ...], tables: dict[str, str]) -> None:
        def receive(topic: str, payload: bytes) -> None:
            if topic in hub:
                self.waiting.append(HubMessage(generation, topic, payload))
            elif topic in tables and payload not in self.expected[topic]:
                self.waiting.append(TableOverwritten(generation, tables[topic]))

        self.broker.listeners[self.state.instance] = receive

    def next(self) -> None:
        """Let the first message in transit arrive."""
        first = self.waiting.pop(0)
        if isinstance(first, Sent):
            self.broker.publish(first.topic, first.payload, is_retained=first.is_retained)
        else:
            self.step(first)

    def deliver(self) -> None:
        """Let every message in transit arrive, and every one that follows from it."""
        while self.waiting:
            self.next()

    def wait(self, seconds: float) -> None:
        """Let time pass, and wake the engine at its deadlines."""
        self.deliver()
        end_s = self.mono_s + seconds
        while self.wake_s <= end_s:
            self.mono_s = max(self.mono_s, self.wake_s)
            self.step(Woken())
            self.deliver()
        self.mono_s = end_s

    def close(self) -> None:
        """Close the connection properly: what was sent arrives, no answer does, and the broker publishes no will."""
        self.broker.listeners.pop(self.state.instance, None)
        left, self.waiting = self.waiting, []
        for each in left:
            if isinstance(each, Sent):
                self.broker.publish(each.topic, each.payload, is_retained=each.is_retained)

    def connect(self) -> None:
        """Let the first connection succeed."""
        self.step(Woken())
        self.deliver()

    def lose_broker(self) -> None:
        """Break the connection: what was in transit is lost, and the broker publishes the will."""
        self.vanish()
        self.step(BrokerDown(self.generation, "disconnected"))

    def leave(self) -> None:
        """End as at SIGTERM: publish that the hub is offline, and close."""
        offline = encode_online(Online(is_online=False, instance=self.state.instance))
        self.waiting.append(Sent(self.state.directory.topics.hub_online, offline))
        self.close()

    def vanish(self) -> None:
        """End as in a crash: nothing more arrives, and the broker publishes the will."""
        self.waiting.clear()
        if self.broker.listeners.pop(self.state.instance, None):
            will = encode_online(Online(is_online=False, instance=self.state.instance))
            self.broker.publish(self.state.directory.topics.hub_online, will)

    def crash_broker(self) -> None:
        """Let the broker crash: nothing is retained any more, and no will is published."""
        self.broker.listeners.clear()
        self.retained = {}
        self.lose_broker()

    def poll(self, name: str, address: str | None, port: int = 51820, interface: str = "wg0") -> None:
        """Let a poll show a peer at this endpoint."""
        endpoint = Endpoint(address, port) if address else None
        peer = PeerState(key_of(name), endpoint, WALL_S + self.mono_s, is_heard=True)
        self.step(PeersPolled(interface, (peer,)))

    def answer(self, name: str, stage: str = "applied") -> None:
        """Let a router report on its newest table."""
        body = {"v": 1, "seq": str(self.table_of(name).seq), "stage": stage, "peers": []}
        self.step(Reported(self.generation, name, json.dumps(body).encode()))

    def table_of(self, name: str) -> Table:
        """Return the table that the broker has for a router, or that is in transit to it."""
        topic = f"wgmqtt/v1/{name}/endpoints"
        in_transit = [each.payload for each in self.waiting if isinstance(each, Sent) and each.topic == topic]
        return decode_table([self.retained.get(topic, b""), *in_transit][-1], topic)

    def endpoint_in_or_none(self, name: str, of: str) -> str | None:
        """Return what `endpoint_in` does, or None if the broker has no table for `name`."""
        topic = f"wgmqtt/v1/{name}/endpoints"
        is_there = topic in self.retained or any(
            isinstance(each, Sent) and each.topic == topic for each in self.waiting
        )
        return self.endpoint_in(name, of) if is_there else None

    def endpoint_in(self, name: str, of: str) -> str:
        """Return the endpoint of `of` in the table for `name`, as text."""
        return str(next(peer.endpoint for peer in self.table_of(name).peers if peer.name == of))


def make_world(config: Config | None = None) -> World:
    """Return an engine that knows nothing yet, in its surroundings."""
    return World(Engine(config or make_config(), "m"))


def make_pair(*, script: str = "", port: int = 51820, wait_s: float = 1.0, addresses: tuple[str, ...] = PAIR) -> World:
    """Return berlin and cologne, linked, whose tables were published `wait_s` ago."""
    world = World(Engine(make_config(("berlin", "cologne")), "m", script=script))
    world.connect()
    for name, address in zip(("berlin", "cologne"), addresses, strict=True):
        world.poll(name, address, port)
    world.wait(wait_s)
    world.published.clear()
    return world
