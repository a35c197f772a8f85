"""Something else on a router rewrites endpoints: noticed at the third time within an hour, and not fought."""

import pytest

from tests.engine.reporting import ask_again, line, report
from tests.engine.world import World, make_config, make_world
from wgmqtt.engine import conflicts

THERE, ELSEWHERE = "203.0.113.2 51820", "203.0.113.9 51820"
PHRASE = "endpoint overwritten by something else on the router, peer suspended"


@pytest.fixture
def world() -> World:
    """Return two routers that were told of each other, and have set it."""
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    for number, name in enumerate(("berlin", "cologne"), 1):
        world.see(name, f"203.0.113.{number}")
    world.wait(1)
    report(world, "berlin", line("cologne", "set", THERE))
    return world


def rewrite(world: World, did: str = "set", configured: str = THERE) -> None:
    """Let the table come again, and the router answer it in both stages."""
    ask_again(world, "berlin")
    for stage in ("applied", "final"):
        report(world, "berlin", line("cologne", did, configured), stage=stage)


def is_told(world: World) -> bool:
    return world.table_of("berlin").peers[0].endpoint is not None


def test_third_time_is_said_once_and_the_peer_is_left_out_of_the_table_at_once(world: World) -> None:
    rewrite(world)
    rewrite(world)
    assert PHRASE not in world.said
    assert is_told(world)
    rewrite(world)
    assert world.said.count(PHRASE) == 1
    assert not is_told(world)
    assert world.table_of("cologne").peers[0].endpoint is not None, "only that router is let alone"


def test_after_an_hour_it_is_told_again(world: World) -> None:
    for _ in range(3):
        rewrite(world)
    world.wait(conflicts.REST_S + 1)
    ask_again(world, "berlin")
    assert is_told(world)


def test_times_that_are_further_apart_than_an_hour_do_not_count(world: World) -> None:
    for _ in range(4):
        rewrite(world)
        world.wait(conflicts.WITHIN_S / 2 + 1)
    assert PHRASE not in world.said


@pytest.mark.parametrize("did", ["same", "kept", "roamed", "reapplied", "failed", "newer"])
def test_other_deeds_are_no_sign(world: World, did: str) -> None:
    for _ in range(4):
        rewrite(world, did)
    assert PHRASE not in world.said


def test_peer_that_really_moves_to_and_fro_is_no_sign(world: World) -> None:
    for number in range(8):
        world.see("cologne", "203.0.113.9" if number % 2 == 0 else "203.0.113.2")
        world.wait(120)
        report(world, "berlin", line("cologne", "set", ELSEWHERE if number % 2 == 0 else THERE))
    assert PHRASE not in world.said


def test_peer_that_moves_and_comes_back_between_two_reports_is_no_sign(world: World) -> None:
    for _ in range(4):
        world.see("cologne", "203.0.113.9")
        world.wait(120)  # this table is never answered
        world.see("cologne", "203.0.113.2")
        world.wait(120)
        report(world, "berlin", line("cologne", "set", THERE))
    assert PHRASE not in world.said
