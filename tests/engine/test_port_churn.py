"""A port that keeps changing at one address is told slowly."""

import pytest

from tests.engine.world import World, make_config, make_world
from wgmqtt.engine import port_churn


@pytest.fixture
def world() -> World:
    """Return two routers, whose first meeting is long over."""
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    for number, name in enumerate(("berlin", "cologne"), 1):
        world.see(name, f"203.0.113.{number}", 1)
    world.wait(200)
    return world


def restless(world: World) -> bool:
    return port_churn.is_restless(world.state.routers["berlin"], world.mono_s)


def test_third_port_within_minutes_is_told_at_once_and_the_next_one_later(world: World) -> None:
    for port in (2, 3):
        assert not restless(world)
        world.see("berlin", "203.0.113.1", port)
        world.wait(30)
        assert world.told("cologne", "berlin") == f"203.0.113.1:{port}"
    assert restless(world)
    world.see("berlin", "203.0.113.1", 4)
    world.wait(1)
    assert world.told("cologne", "berlin") == "203.0.113.1:4", "its pause was over"
    world.see("berlin", "203.0.113.1", 5)
    world.wait(15)
    assert world.told("cologne", "berlin") == "203.0.113.1:4"
    world.wait(6)
    assert world.told("cologne", "berlin") == "203.0.113.1:5"


def test_ports_long_ago_do_not_count(world: World) -> None:
    for port in range(2, 9):
        world.see("berlin", "203.0.113.1", port)
        world.wait(200)
        assert not restless(world)


def test_other_addresses_do_not_count(world: World) -> None:
    for number in range(3, 9):
        world.see("berlin", f"203.0.113.{number}", number)
        world.wait(30)
        assert not restless(world)


def test_port_that_settles_is_forgiven(world: World) -> None:
    for port in (2, 3):
        world.see("berlin", "203.0.113.1", port)
        world.wait(30)
    assert restless(world)
    world.wait(port_churn.WITHIN_S)
    assert not restless(world)
