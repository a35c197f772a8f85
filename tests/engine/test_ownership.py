"""Two daemons of one hub name on one broker: one serves, the other says so and waits; they never fight."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.broker_model import BrokerModel
from tests.engine.world import World, make_config
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import Woken
from wgmqtt.wire.hub import Online, decode_online, encode_online

ONLINE = "wgmqtt/v1/hub/hub1/online"
REFUSED = "another daemon is active for this hub, standing by"


def make_pair(first: str = "a", second: str = "b") -> tuple[World, World]:
    """Return two daemons that have not connected yet; the instance ids say who goes if both began at once."""
    broker = BrokerModel()
    one, two = (World(Engine(make_config(), instance), broker) for instance in (first, second))
    return one, two


def pass_time(seconds: float, *worlds: World) -> None:
    """Let time pass for all of them, and every message arrive."""
    for _ in range(int(seconds / 0.5)):
        for world in worlds:
            world.wait(0.5)
        deliver(*worlds)


def deliver(*worlds: World) -> None:
    """Let every message arrive, in turns."""
    while any(world.waiting for world in worlds):
        for world in worlds:
            if world.waiting:
                world.next()


def see(world: World, number: int) -> None:
    """Let a daemon's WireGuard show two routers."""
    world.see("berlin", f"203.0.113.{number}")
    world.see("cologne", f"203.0.113.{number + 100}")


def tables_in(world: World) -> dict[str, bytes]:
    """Return the retained tables."""
    return {topic: payload for topic, payload in world.retained.items() if topic.endswith("/endpoints")}


def word_of(world: World) -> Online | None:
    """Return what the broker retains of the hub."""
    return decode_online(world.retained.get(ONLINE, b""), ONLINE)


def test_second_daemon_is_refused_says_so_once_and_publishes_nothing() -> None:
    one, two = make_pair()
    pass_time(1, one, two)
    see(one, 1)
    see(two, 2)
    pass_time(200, one, two)
    assert (one.phase, two.phase) == ("ready", "closed")
    assert two.warned == [REFUSED]
    assert two.published == []
    assert [message.topic for message in two.sent if message.is_retained] == []
    assert one.warned == []
    assert one.told("cologne", "berlin") == "203.0.113.1:51820"


def test_first_leaves_in_order_second_takes_over_and_would_warn_again() -> None:
    one, two = make_pair()
    pass_time(10, one, two)
    one.leave()
    pass_time(35, two)
    assert two.phase == "ready"
    see(two, 2)
    deliver(two)
    assert two.told("cologne", "berlin") == "203.0.113.2:51820"
    three = World(Engine(make_config(), "0"), two.broker)
    pass_time(10, two, three)
    assert (two.phase, three.phase) == ("ready", "closed")


def test_refused_daemon_that_served_meanwhile_warns_anew() -> None:
    one, two = make_pair()
    pass_time(10, one, two)
    one.vanish()
    pass_time(40, two)
    assert two.phase == "ready"
    two.lose_broker()
    again = World(Engine(make_config(), "c"), two.broker)
    again.connect()
    pass_time(40, again, two)
    assert (again.phase, two.phase) == ("ready", "closed")
    assert two.warned.count(REFUSED) == 2


def test_first_crashes_its_will_lets_the_second_take_over_at_its_next_try() -> None:
    one, two = make_pair()
    pass_time(10, one, two)
    one.vanish()
    pass_time(35, two)
    assert two.phase == "ready"


def test_word_of_a_dead_daemon_is_taken_over_after_the_question() -> None:
    one, _ = make_pair()
    one.retained[ONLINE] = encode_online(Online(is_online=True, instance="dead"))
    one.connect()
    assert one.phase == "asking"
    assert one.published == []
    one.wait(2.9)
    assert one.phase == "asking"
    one.wait(0.2)
    assert one.phase == "ready"
    assert "no other daemon answered, taking over" in one.said
    assert word_of(one) == Online(is_online=True, instance="a")
    assert one.warned == []


def test_will_that_comes_late_is_answered_by_the_one_that_serves() -> None:
    """The broker notices an old connection's end only after its keep-alive, when a new daemon serves already."""
    one, _ = make_pair()
    one.connect()
    one.broker.publish(ONLINE, encode_online(Online(is_online=False, instance="dead")))
    one.deliver()
    assert one.phase == "ready"
    assert word_of(one) == Online(is_online=True, instance="a")


def test_daemon_that_renews_its_session_is_not_overtaken() -> None:
    """While it reads back it cannot answer; its word as it goes on is answer enough."""
    one, two = make_pair("z", "a")
    pass_time(1, one)
    one.lose_broker()
    one.retained[ONLINE] = encode_online(Online(is_online=True, instance="z"))
    two.connect()
    assert two.phase == "asking"
    pass_time(10, one, two)
    assert (one.phase, two.phase) == ("ready", "closed")


def test_tables_of_a_daemon_that_served_for_a_moment_are_set_right() -> None:
    """Both began at once, and the one that leaves had published what it saw."""
    one, two = make_pair()
    for number, world in enumerate((one, two), 1):
        see(world, number)
        world.step(Woken())
    for world in (one, two, one, two):  # both are let in, and both find nobody
        world.next()
    for world in (one, two):
        while world.phase != "ready":
            world.next()
    while two.waiting:
        two.next()
    pass_time(10, one, two)
    assert (one.phase, two.phase) == ("ready", "closed")
    assert two.published, "or this shows nothing"
    assert one.told("cologne", "berlin") == "203.0.113.1:51820"


def test_own_word_of_the_connection_before_needs_no_question() -> None:
    one, _ = make_pair()
    one.connect()
    one.lose_broker()
    one.retained[ONLINE] = encode_online(Online(is_online=True, instance="a"))
    one.wait(1)
    assert one.phase == "ready"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from((0, 1)), max_size=40), st.booleans())
def test_both_at_once_exactly_one_stays_whatever_arrives_first(turns: list[int], smaller_first: bool) -> None:  # noqa: FBT001 - hypothesis
    worlds = make_pair("a", "b") if smaller_first else make_pair("b", "a")
    for turn in turns:
        world = worlds[turn]
        if world.waiting:
            world.next()
        elif world.phase == "closed" and world.generation == 0:
            world.step(Woken())
    pass_time(10, *worlds)
    assert sorted(world.phase for world in worlds) == ["closed", "ready"]
    served = next(world for world in worlds if world.phase == "ready")
    assert word_of(served) == Online(is_online=True, instance=served.state.instance, answers=word_answers(served))
    see(served, 7)
    pass_time(5, *worlds)
    assert served.told("cologne", "berlin") == "203.0.113.7:51820"


def word_answers(world: World) -> str:
    """Return whom the retained word answers: it may be the last answer to the daemon that asks again and again."""
    word = word_of(world)
    return word.answers if word else ""


def test_dry_run_beside_the_one_that_serves_changes_nothing() -> None:
    one, _ = make_pair()
    one.connect()
    see(one, 1)
    one.wait(1)
    before = tables_in(one)
    dry = World(Engine(make_config(), "0", is_dry=True), one.broker)
    dry.connect()
    see(dry, 9)
    pass_time(100, one, dry)
    assert tables_in(one) == before
    assert dry.sent == []
    assert {name for name, _ in dry.published} == {"berlin", "cologne"}, "what it would publish is known"
    assert (one.phase, dry.phase) == ("ready", "ready")
    assert one.warned == dry.warned == []
