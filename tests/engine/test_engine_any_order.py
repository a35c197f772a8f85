"""Whatever happens in whatever order, the broker ends with the tables that it should have."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.engine.world import NAMES, WALL_S, make_world
from wgmqtt.events import Acked, BrokerDown, Now, Reported
from wgmqtt.tables import desired_table, differs

ADDRESSES = ("203.0.113.1", "203.0.113.2", "203.0.113.3", "2001:db8::4", "192.168.7.7", None)


class AnyOrder(RuleBasedStateMachine):
    """Routers move, connections break, answers are late, lost or foreign; then calm returns."""

    def __init__(self) -> None:
        super().__init__()
        self.world = make_world()
        self.world.connect()

    @rule(name=st.sampled_from(NAMES), address=st.sampled_from(ADDRESSES), port=st.integers(1, 3))
    def router_is_seen(self, name: str, address: str | None, port: int) -> None:
        """A dump shows a peer."""
        self.world.see(name, address, port)

    @rule(count=st.integers(1, 4))
    def answers_arrive(self, count: int) -> None:
        """Some of what is on its way arrives."""
        for _ in range(min(count, len(self.world.waiting))):
            self.world.next()

    @rule()
    def broker_is_lost(self) -> None:
        """The connection breaks between any two messages."""
        self.world.lose_broker()

    @rule()
    def broker_forgets(self) -> None:
        """The broker restarts without a database."""
        self.world.forget()

    @rule(up=st.booleans())
    def broker_refuses(self, *, up: bool) -> None:
        """The broker stops or starts to accept connections."""
        self.world.reachable = up

    @rule(seconds=st.floats(0.1, 40))
    def time_passes(self, seconds: float) -> None:
        """Deadlines run out."""
        self.world.wait(seconds)

    @rule(generation=st.integers(0, 4), name=st.sampled_from(NAMES), seq=st.integers(0, 9))
    def foreign_answer_comes(self, generation: int, name: str, seq: int) -> None:
        """An event of another connection, or of a table that was never sent."""
        self.world.step(Acked(generation, name, seq))
        if generation != self.world.generation:
            self.world.step(BrokerDown(generation, "old"))

    @rule(name=st.sampled_from(NAMES), payload=st.binary(max_size=40))
    def nonsense_is_reported(self, name: str, payload: bytes) -> None:
        """A router, or somebody with its password, sends anything."""
        self.world.step(Reported(self.world.generation, name, payload))

    @invariant()
    def wake_up_is_set(self) -> None:
        """The engine never sleeps for ever."""
        assert self.world.wake_s <= self.world.mono_s + 61

    def teardown(self) -> None:
        """Calm: the broker accepts, answers arrive. Then nothing is missing, and nothing more is sent."""
        world = self.world
        world.reachable = True
        world.deliver()
        world.wait(120)
        now = Now(world.mono_s, WALL_S)
        for name in NAMES:
            wanted = desired_table(world.state, name, now)
            held = world.table_of(name) if f"wgmqtt/v1/{name}/endpoints" in world.retained else None
            assert not differs(wanted, held), (wanted, held)
        count = len(world.published)
        world.wait(120)
        assert len(world.published) == count


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
