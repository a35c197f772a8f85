"""A router that is alive but silent has its stale connection reset; each router is asked for a report now and then."""

import pytest

from tests.engine.world import World, key_of, make_config, make_world
from wgmqtt.engine.events import PeersPolled


@pytest.fixture
def world() -> World:
    """Return two routers that were told of each other, and have answered."""
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    for number, name in enumerate(("berlin", "cologne"), 1):
        world.see(name, f"203.0.113.{number}")
    world.wait(1)
    for name in ("berlin", "cologne"):
        world.answer(name)
    world.wait(600)
    assert world.broken == []
    return world


def show_life(world: World, name: str) -> None:
    """Let a peer send something."""
    world.step(PeersPolled("wg0", (), alive=(key_of(name),)))


def test_router_that_is_away_is_left_alone(world: World) -> None:
    world.see("berlin", "203.0.113.9")
    world.answer("berlin")
    world.wait(300)
    assert world.broken == []


def test_router_that_comes_back_and_does_not_answer_is_broken_once(world: World) -> None:
    world.see("berlin", "203.0.113.9")
    world.answer("berlin")
    world.wait(20)
    show_life(world, "cologne")
    world.wait(0.5)
    assert world.broken == []
    world.wait(1)
    assert world.broken == ["cologne"]
    show_life(world, "cologne")
    world.wait(30)
    assert world.broken == ["cologne"], "not again before its minute is over"


def test_router_that_answers_in_time_is_left_alone(world: World) -> None:
    world.see("berlin", "203.0.113.9")
    for name in ("berlin", "cologne"):
        show_life(world, name)
        world.answer(name)
    world.wait(300)
    assert world.broken == []


def test_router_that_was_never_heard_is_left_alone() -> None:
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    world.see("berlin", "203.0.113.1")
    world.see("cologne", "203.0.113.2")
    world.wait(1)
    show_life(world, "cologne")
    world.wait(60)
    assert world.broken == []


def test_every_router_is_asked_for_news_once_a_round(world: World) -> None:
    world.published.clear()
    world.wait(6 * 3600 + 60)
    asked = [name for name, _ in world.published]
    assert sorted(asked) == ["berlin", "cologne"]
    assert not any(peer.kick for _, table in world.published for peer in table.peers)


def test_round_of_many_routers_takes_no_longer() -> None:
    """With more routers than six hours have minutes somebody is asked more often than once a minute."""
    names = tuple(f"r{number:03}" for number in range(720))
    world = make_world(make_config(names, links=()))
    world.connect()
    for port, name in enumerate(names, 1):
        world.see(name, "203.0.113.1", port)
    world.deliver()
    world.published.clear()
    world.wait(600)
    assert len(world.published) in (19, 20, 21)


def test_only_who_owes_an_answer_and_has_shown_no_life_is_awaited(world: World) -> None:
    assert world.engine.awaited_keys() == frozenset()
    world.see("berlin", "203.0.113.9")
    world.answer("berlin")
    assert world.engine.awaited_keys() == {key_of("cologne").raw}
    show_life(world, "cologne")
    assert world.engine.awaited_keys() == frozenset()
