"""Any order of events ends with the desired tables at the broker."""

from itertools import combinations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.engine.world import NAMES, World, key_of, make_config, make_world
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import (
    Acked,
    BrokerDown,
    FreezeChecked,
    InterfaceFailed,
    Now,
    PeersPolled,
    Reconfigured,
    Reported,
)
from wgmqtt.engine.tables import desired_table, differs

ADDRESSES = ("203.0.113.1", "203.0.113.2", "203.0.113.3", "2001:db8::4", "192.168.7.7", None)
PAIRS = tuple(combinations(NAMES, 2))


class AnyOrder(RuleBasedStateMachine):
    """Routers move, connections break, answers are late, lost or of another connection; then nothing more happens."""

    def __init__(self) -> None:
        super().__init__()
        self.world = make_world()
        self.world.connect()
        self.rival: World | None = None
        self.had_rival = False
        self.names: tuple[str, ...] = NAMES

    @rule(name=st.sampled_from(NAMES), address=st.sampled_from(ADDRESSES), port=st.integers(1, 3))
    def peer_is_polled(self, name: str, address: str | None, port: int) -> None:
        """A poll shows a peer."""
        self.world.poll(name, address, port)

    @rule(name=st.sampled_from(NAMES), interface=st.sampled_from(("wg0", "wg1")))
    def peer_is_removed(self, name: str, interface: str) -> None:
        """A person removes a peer, or the interface is created again with other peers."""
        self.world.step(PeersPolled(interface, (), (key_of(name),)))

    @rule(interface=st.sampled_from(("wg0", "wg1")))
    def interface_fails(self, interface: str) -> None:
        """It is deleted, or hangs."""
        self.world.step(InterfaceFailed(interface, "gone"))

    @rule(count=st.integers(1, 4))
    def messages_arrive(self, count: int) -> None:
        """Some of the messages in transit arrive."""
        for _ in range(count):
            if self.world.waiting:
                self.world.next()

    @rule()
    def broker_is_lost(self) -> None:
        """The connection breaks between any two messages."""
        self.world.lose_broker()

    @rule()
    def broker_forgets(self) -> None:
        """The broker restarts without a database."""
        if self.rival:
            self.rival.crash_broker()
        self.world.crash_broker()

    @rule(up=st.booleans())
    def broker_refuses(self, *, up: bool) -> None:
        """The broker stops or starts to accept connections."""
        self.world.reachable = up

    @rule(seconds=st.floats(0.1, 40))
    def time_passes(self, seconds: float) -> None:
        """Deadlines pass, and everything in transit arrives: no message takes seconds."""
        self.deliver()
        self.world.wait(seconds)
        if self.rival:
            self.rival.wait(seconds)
        self.deliver()

    def deliver(self) -> None:
        """Let everything in transit arrive, at both daemons in turns."""
        worlds = [world for world in (self.world, self.rival) if world]
        while any(world.waiting for world in worlds):
            for world in worlds:
                if world.waiting:
                    world.next()

    @rule(step_s=st.floats(-1e6, 1e6))
    def wall_clock_steps(self, step_s: float) -> None:
        """A person, or NTP, sets the clock."""
        self.world.wall_s += step_s

    @rule(generation=st.integers(0, 4), name=st.sampled_from(NAMES), seq=st.integers(0, 9))
    def answer_of_another_connection_arrives(self, generation: int, name: str, seq: int) -> None:
        """An event of another connection, or about a table that was never published."""
        self.world.step(Acked(generation, name, seq))
        if generation != self.world.generation:
            self.world.step(BrokerDown(generation, "old"))

    @rule(name=st.sampled_from(NAMES), payload=st.binary(max_size=40))
    def malformed_report_arrives(self, name: str, payload: bytes) -> None:
        """A router, or someone with its password, publishes anything."""
        self.world.step(Reported(self.world.generation, name, payload))

    @rule(is_frozen=st.booleans())
    def person_freezes(self, *, is_frozen: bool) -> None:
        """Publishing is frozen or resumed."""
        self.world.step(FreezeChecked(is_frozen))

    @rule(names=st.sets(st.sampled_from(NAMES), min_size=1), pairs=st.sets(st.sampled_from(PAIRS)))
    def configuration_changes(self, names: set[str], pairs: set[tuple[str, str]]) -> None:
        """Routers and links come and go."""
        self.names = tuple(sorted(names))
        links = tuple(pair for pair in sorted(pairs) if names.issuperset(pair))
        self.world.step(Reconfigured(make_config(self.names, links)))

    @rule()
    def daemon_restarts(self) -> None:
        """A new process, on what the broker retains; it has polled nothing yet."""
        old = self.world
        old.vanish()
        state = Engine(old.state.directory.config, f"{old.state.instance}m")
        self.world = World(state, old.broker, old.mono_s, old.wall_s, reachable=old.reachable)
        self.world.connect()

    @precondition(lambda self: self.rival is None)
    @rule(instance=st.sampled_from(("a", "z")))
    def another_daemon_comes(self, instance: str) -> None:
        """It has the first configuration, and polls other endpoints."""
        self.had_rival = True
        self.rival = World(Engine(make_config(), instance), self.world.broker, self.world.mono_s)
        self.rival.connect()
        for port, name in enumerate(NAMES, 7):
            self.rival.poll(name, "203.0.113.9", port)

    @precondition(lambda self: self.rival is not None)
    @rule(in_order=st.booleans())
    def another_daemon_goes(self, *, in_order: bool) -> None:
        """It stops or crashes."""
        assert self.rival is not None
        (self.rival.leave if in_order else self.rival.vanish)()
        self.rival = None

    @invariant()
    def wake_up_is_set(self) -> None:
        """The engine always asks to be woken."""
        assert self.world.wake_s <= self.world.mono_s + 61

    @invariant()
    def two_daemons_do_not_both_serve_for_long(self) -> None:
        """Once every message has arrived, at most one of them is active."""
        worlds = [world for world in (self.world, self.rival) if world]
        if not any(world.waiting for world in worlds):
            assert [world.phase for world in worlds].count("ready") <= 1

    def teardown(self) -> None:
        """The broker accepts and answers. Then no table is missing, and nothing more is published."""
        self.deliver()
        if self.rival:
            self.another_daemon_goes(in_order=True)
        world = self.world
        world.reachable = True
        world.deliver()
        world.step(FreezeChecked(is_frozen=False))
        world.wait(240)
        assert world.phase == "ready"
        now = Now(world.mono_s, world.wall_s)
        for name in self.names:
            wanted = desired_table(world.state, name, now)
            held = world.table_of(name) if f"wgmqtt/v1/{name}/endpoints" in world.retained else None
            assert not differs(wanted, held), (wanted, held)
        count = len(world.published)
        world.wait(120)
        assert len(world.published) == count
        if self.had_rival:
            return  # the other daemon had another configuration, and may have crashed before it published that
        left = {topic.split("/")[2] for topic in world.retained if topic.endswith("/endpoints")}
        assert left <= set(self.names), "topics of routers that are no longer configured"


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
