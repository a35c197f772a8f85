"""A port that keeps changing at one address is published slowly."""

import pytest

from tests.engine.world import World, make_pair
from wgmqtt.engine import port_churn


@pytest.fixture
def world() -> World:
    """Return two routers whose tables were published a while ago."""
    return make_pair(port=1, wait_s=200)


def is_churning(world: World) -> bool:
    return port_churn.is_churning(world.state.routers["berlin"], world.mono_s)


def test_third_port_within_minutes_is_published_at_once_and_the_next_one_later(world: World) -> None:
    for port in (2, 3):
        assert not is_churning(world)
        world.poll("berlin", "203.0.113.1", port)
        world.wait(30)
        assert world.endpoint_in("cologne", "berlin") == f"203.0.113.1:{port}"
    assert is_churning(world)
    world.poll("berlin", "203.0.113.1", 4)
    world.wait(1)
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.1:4", "its pause was over"
    world.poll("berlin", "203.0.113.1", 5)
    world.wait(15)
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.1:4"
    world.wait(6)
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.1:5"


def test_ports_long_ago_are_no_churn(world: World) -> None:
    for port in range(2, 9):
        world.poll("berlin", "203.0.113.1", port)
        world.wait(200)
        assert not is_churning(world)


def test_ports_at_other_addresses_are_no_churn(world: World) -> None:
    for number in range(3, 9):
        world.poll("berlin", f"203.0.113.{number}", number)
        world.wait(30)
        assert not is_churning(world)


def test_port_that_settles_ends_the_churn(world: World) -> None:
    for port in (2, 3):
        world.poll("berlin", "203.0.113.1", port)
        world.wait(30)
    assert is_churning(world)
    world.wait(port_churn.WITHIN_S)
    assert not is_churning(world)
