"""Two daemons with one hub name on one broker: one is active, the other stands by."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.broker_model import BrokerModel
from tests.engine.world import World, make_config
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import TableOverwritten, Woken
from wgmqtt.wire.hub import Online, decode_online, encode_online

ONLINE = "wgmqtt/v1/hub/hub1/online"
STANDING_BY = "another daemon is active for this hub, standing by"


def make_daemons(first: str = "a", second: str = "b") -> tuple[World, World]:
    """Return two daemons that have not connected yet; the smaller instance stays if both start at once."""
    broker = BrokerModel()
    one, two = (World(Engine(make_config(), instance), broker) for instance in (first, second))
    return one, two


def pass_time(seconds: float, *worlds: World) -> None:
    """Let time pass for all of them, with every message delivered."""
    for _ in range(int(seconds / 0.5)):
        for world in worlds:
            world.wait(0.5)
        deliver(*worlds)


def deliver(*worlds: World) -> None:
    """Deliver every message, to the daemons in turns."""
    while any(world.waiting for world in worlds):
        for world in worlds:
            if world.waiting:
                world.next()


def poll(world: World, number: int) -> None:
    """Let a daemon poll two routers."""
    world.poll("berlin", f"203.0.113.{number}")
    world.poll("cologne", f"203.0.113.{number + 100}")


def tables_in(world: World) -> dict[str, bytes]:
    """Return the retained tables."""
    return {topic: payload for topic, payload in world.retained.items() if topic.endswith("/endpoints")}


def online_of(world: World) -> Online | None:
    """Return the hub's retained online message."""
    return decode_online(world.retained.get(ONLINE, b""), ONLINE)


def test_second_daemon_stands_by_warns_once_and_publishes_nothing() -> None:
    one, two = make_daemons()
    pass_time(1, one, two)
    poll(one, 1)
    poll(two, 2)
    pass_time(200, one, two)
    assert (one.phase, two.phase) == ("ready", "closed")
    assert two.warnings == [STANDING_BY]
    assert two.published == []
    assert [message.topic for message in two.sent if message.is_retained] == []
    assert one.warnings == []
    assert one.endpoint_in("cologne", "berlin") == "203.0.113.1:51820"
    poll(two, 3)
    pass_time(100, one, two)
    assert not two.state.retries, "it is the active daemon that lets the routers try again"


def test_first_stops_the_second_takes_over() -> None:
    one, two = make_daemons()
    pass_time(10, one, two)
    one.leave()
    pass_time(35, two)
    assert two.phase == "ready"
    poll(two, 2)
    deliver(two)
    assert two.endpoint_in("cologne", "berlin") == "203.0.113.2:51820"
    three = World(Engine(make_config(), "0"), two.broker)
    pass_time(10, two, three)
    assert (two.phase, three.phase) == ("ready", "closed")


def test_daemon_that_was_active_meanwhile_warns_again() -> None:
    one, two = make_daemons()
    pass_time(10, one, two)
    one.vanish()
    pass_time(40, two)
    assert two.phase == "ready"
    two.lose_broker()
    again = World(Engine(make_config(), "c"), two.broker)
    again.connect()
    pass_time(40, again, two)
    assert (again.phase, two.phase) == ("ready", "closed")
    assert two.warnings.count(STANDING_BY) == 2


def test_first_crashes_the_second_takes_over_at_its_next_attempt() -> None:
    one, two = make_daemons()
    pass_time(10, one, two)
    one.vanish()
    pass_time(35, two)
    assert two.phase == "ready"


def test_claim_of_a_dead_daemon_is_taken_over_after_the_question() -> None:
    one, _ = make_daemons()
    one.retained[ONLINE] = encode_online(Online(is_online=True, instance="dead"))
    one.connect()
    assert one.phase == "asking"
    assert one.published == []
    one.wait(2.9)
    assert one.phase == "asking"
    one.wait(0.2)
    assert one.phase == "ready"
    assert "no other daemon answered, taking over" in one.logged
    assert online_of(one) == Online(is_online=True, instance="a")
    assert one.warnings == []


def test_late_will_of_an_old_connection_is_overwritten_by_the_active_daemon() -> None:
    """The broker detects the end of an old connection after its keep-alive, when a new daemon is active already."""
    one, _ = make_daemons()
    one.connect()
    one.broker.publish(ONLINE, encode_online(Online(is_online=False, instance="dead")))
    one.deliver()
    assert one.phase == "ready"
    assert online_of(one) == Online(is_online=True, instance="a")


def test_daemon_that_reconnects_stays_active() -> None:
    """While it reads back it cannot answer; its next online message counts as the answer."""
    one, two = make_daemons("z", "a")
    pass_time(1, one)
    one.lose_broker()
    one.retained[ONLINE] = encode_online(Online(is_online=True, instance="z"))
    two.connect()
    assert two.phase == "asking"
    pass_time(10, one, two)
    assert (one.phase, two.phase) == ("ready", "closed")


def test_tables_of_a_daemon_that_was_active_for_a_moment_are_replaced() -> None:
    """Both started at once, and the one that stands by had published its own view.

    The broker may drop messages for a client that is slow: the active daemon learns of nothing but the other's claim.
    """
    one, two = make_daemons()
    for number, world in enumerate((one, two), 1):
        poll(world, number)
        world.step(Woken())
    for world in (one, two, one, two):  # both connect, and both find no claim
        world.next()
    for world in (one, two):
        while world.phase != "ready":
            world.next()
    while one.waiting:
        one.next()
    while two.waiting:  # its tables arrive last
        two.next()
        one.waiting = [each for each in one.waiting if not isinstance(each, TableOverwritten)]
    assert one.endpoint_in("cologne", "berlin") == "203.0.113.2:51820", "the other daemon's view"
    pass_time(10, one, two)
    assert (one.phase, two.phase) == ("ready", "closed")
    assert two.published, "otherwise this test shows nothing"
    assert one.endpoint_in("cologne", "berlin") == "203.0.113.1:51820"


def test_own_claim_of_the_connection_before_needs_no_question() -> None:
    one, _ = make_daemons()
    one.connect()
    one.lose_broker()
    one.retained[ONLINE] = encode_online(Online(is_online=True, instance="a"))
    one.wait(1)
    assert one.phase == "ready"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from((0, 1)), max_size=40), st.booleans())
def test_both_at_once_exactly_one_becomes_active_whatever_arrives_first(turns: list[int], smaller_first: bool) -> None:  # noqa: FBT001 - hypothesis
    worlds = make_daemons("a", "b") if smaller_first else make_daemons("b", "a")
    for turn in turns:
        world = worlds[turn]
        if world.waiting:
            world.next()
        elif world.phase == "closed" and world.generation == 0:
            world.step(Woken())
    pass_time(10, *worlds)
    assert sorted(world.phase for world in worlds) == ["closed", "ready"]
    active = next(world for world in worlds if world.phase == "ready")
    assert online_of(active) == Online(
        is_online=True, instance=active.state.instance, answers=answered_instance(active)
    )
    poll(active, 7)
    pass_time(5, *worlds)
    assert active.endpoint_in("cologne", "berlin") == "203.0.113.7:51820"


def answered_instance(world: World) -> str:
    """Return whom the retained online message answers: it may be the last answer to the daemon that asks repeatedly."""
    online = online_of(world)
    return online.answers if online else ""


def test_dry_run_beside_an_active_daemon_changes_nothing() -> None:
    one, _ = make_daemons()
    one.connect()
    poll(one, 1)
    one.wait(1)
    before = tables_in(one)
    dry = World(Engine(make_config(), "0", is_dry=True), one.broker)
    dry.connect()
    poll(dry, 9)
    pass_time(100, one, dry)
    assert tables_in(one) == before
    assert dry.sent == []
    assert {name for name, _ in dry.published} == {"berlin", "cologne"}, "what it would publish is known"
    assert (one.phase, dry.phase) == ("ready", "ready")
    assert one.warnings == dry.warnings == []
