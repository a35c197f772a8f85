"""A router that is alive but does not report gets its stale connection reset; each router is asked for reports."""

from dataclasses import replace

import pytest

from tests.engine.world import WALL_S, World, key_of, make_config, make_pair, make_world
from wgmqtt.engine.events import PeersPolled
from wgmqtt.model import Endpoint, PeerState


@pytest.fixture
def world() -> World:
    """Return two routers that have reported on their tables."""
    world = make_pair()
    for name in ("berlin", "cologne"):
        world.answer(name)
    world.wait(600)
    assert world.reset == []
    return world


def show_alive(world: World, name: str) -> None:
    """Let a poll show that a peer's rx grew."""
    world.step(PeersPolled("wg0", (), alive=(key_of(name),)))


def test_router_that_is_offline_gets_no_reset(world: World) -> None:
    world.poll("berlin", "203.0.113.9")
    world.answer("berlin")
    world.wait(300)
    assert world.reset == []


def test_router_that_returns_and_does_not_answer_gets_one_reset(world: World) -> None:
    world.poll("berlin", "203.0.113.9")
    world.answer("berlin")
    world.wait(20)
    show_alive(world, "cologne")
    world.wait(0.5)
    assert world.reset == []
    world.wait(1)
    assert world.reset == ["cologne"]
    show_alive(world, "cologne")
    world.wait(30)
    assert world.reset == ["cologne"], "not again before its minute is over"


def test_endpoint_set_on_the_hub_is_no_sign_of_life(world: World) -> None:
    """A person or a script set it while the router was offline; only what WireGuard heard proves that it is back."""
    world.poll("berlin", "203.0.113.9")
    world.answer("berlin")
    world.wait(20)
    unheard = PeerState(key_of("cologne"), Endpoint("203.0.113.77", 4242), WALL_S)
    world.step(PeersPolled("wg0", (unheard,)))
    world.wait(30)
    assert world.reset == []
    world.step(PeersPolled("wg0", (replace(unheard, is_heard=True),)))
    world.wait(2)
    assert world.reset == ["cologne"]


def test_router_that_answers_in_time_gets_no_reset(world: World) -> None:
    world.poll("berlin", "203.0.113.9")
    for name in ("berlin", "cologne"):
        show_alive(world, name)
        world.answer(name)
    world.wait(300)
    assert world.reset == []


def test_router_that_never_reported_gets_no_reset() -> None:
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    world.poll("berlin", "203.0.113.1")
    world.poll("cologne", "203.0.113.2")
    world.wait(1)
    show_alive(world, "cologne")
    world.wait(60)
    assert world.reset == []


def test_every_router_is_asked_for_a_report_once_per_round(world: World) -> None:
    world.published.clear()
    world.wait(6 * 3600 + 60)
    asked = [name for name, _ in world.published]
    assert sorted(asked) == ["berlin", "cologne"]
    assert not any(peer.kick for _, table in world.published for peer in table.peers)


def test_round_of_many_routers_takes_as_long() -> None:
    """With more routers than minutes in six hours, more than one of them is asked per minute."""
    names = tuple(f"r{number:03}" for number in range(720))
    world = make_world(make_config(names, links=()))
    world.connect()
    for port, name in enumerate(names, 1):
        world.poll(name, "203.0.113.1", port)
    world.deliver()
    world.published.clear()
    world.wait(600)
    assert len(world.published) in (19, 20, 21)


def test_awaited_are_routers_that_owe_a_report_and_showed_no_sign_of_life(world: World) -> None:
    assert world.engine.awaited_keys() == frozenset()
    world.poll("berlin", "203.0.113.9")
    world.answer("berlin")
    assert world.engine.awaited_keys() == {key_of("cologne").raw}
    show_alive(world, "cologne")
    assert world.engine.awaited_keys() == frozenset()
