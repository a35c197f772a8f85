"""Something else on a router overwrites endpoints: detected the third time within an hour, and not fought over."""

import pytest

from tests.engine.reporting import ask_again, line, report
from tests.engine.world import NAMES, World, make_config, make_pair, make_world
from wgmqtt.engine import conflicts
from wgmqtt.engine.events import Reconfigured

THERE, ELSEWHERE = "203.0.113.2 51820", "203.0.113.9 51820"
PHRASE = "endpoint overwritten by something else on the router, peer suspended"


@pytest.fixture
def world() -> World:
    """Return two routers with published tables, of which berlin has set its peer."""
    world = make_pair()
    report(world, "berlin", line("cologne", "set", THERE))
    return world


def rewrite(world: World, did: str = "set", configured: str = THERE) -> None:
    """Let the table be published again, and the router report both stages."""
    ask_again(world, "berlin")
    for stage in ("applied", "final"):
        report(world, "berlin", line("cologne", did, configured), stage=stage)


def has_endpoint(world: World) -> bool:
    return world.table_of("berlin").peers[0].endpoint is not None


def test_endpoint_set_again_the_third_time_warns_once_and_suspends_the_peer_at_once(world: World) -> None:
    rewrite(world)
    rewrite(world)
    assert PHRASE not in world.logged
    assert has_endpoint(world)
    rewrite(world)
    assert world.logged.count(PHRASE) == 1
    assert not has_endpoint(world)
    assert world.table_of("cologne").peers[0].endpoint is not None, "only that router's table leaves it out"


def test_suspended_peer_after_an_hour_is_published_again(world: World) -> None:
    for _ in range(3):
        rewrite(world)
    world.wait(conflicts.REST_S - 1)
    assert not has_endpoint(world)
    world.wait(2)
    assert has_endpoint(world)
    assert not world.state.suspended


def test_suspensions_of_two_peers_each_is_published_again_after_its_hour() -> None:
    world = make_world()
    world.connect()
    for number, name in enumerate(NAMES, 1):
        world.poll(name, f"203.0.113.{number}")
        world.wait(1)
    world.wait(100)
    endpoints = {"cologne": THERE, "dresden": "203.0.113.3 51820"}
    report(world, "berlin", *(line(peer, "set", there) for peer, there in endpoints.items()))
    for rewritten in ("cologne", "dresden"):
        for _ in range(3):
            ask_again(world, "berlin")
            did = {peer: "set" if peer == rewritten else "same" for peer in endpoints}
            report(world, "berlin", *(line(peer, did[peer], there) for peer, there in endpoints.items()))
        world.wait(600)
    world.wait(conflicts.REST_S - 1190)
    assert [world.endpoint_in("berlin", peer) for peer in endpoints] == ["203.0.113.2:51820", "None"]
    world.wait(600)
    assert [world.endpoint_in("berlin", peer) for peer in endpoints] == ["203.0.113.2:51820", "203.0.113.3:51820"]


def test_suspension_that_ends_while_the_broker_is_away_is_published_afterwards(world: World) -> None:
    for _ in range(3):
        rewrite(world)
    world.reachable = False
    world.lose_broker()
    world.wait(conflicts.REST_S + 1)
    world.reachable = True
    world.wait(10)
    assert has_endpoint(world)
    assert not world.state.suspended


def test_suspension_ends_after_an_hour_although_the_configuration_was_read_again(world: World) -> None:
    for _ in range(3):
        rewrite(world)
    world.step(Reconfigured(make_config(("berlin", "cologne"))))
    world.wait(conflicts.REST_S - 1)
    assert not has_endpoint(world)
    world.wait(2)
    assert has_endpoint(world)


def test_endpoint_set_again_over_more_than_an_hour_suspends_nothing(world: World) -> None:
    for _ in range(4):
        rewrite(world)
        world.wait(conflicts.WITHIN_S / 2 + 1)
    assert PHRASE not in world.logged


@pytest.mark.parametrize("did", ["same", "kept", "roamed", "reapplied", "failed", "newer"])
def test_report_without_set_suspends_nothing(world: World, did: str) -> None:
    for _ in range(4):
        rewrite(world, did)
    assert PHRASE not in world.logged


def test_peer_that_moves_back_and_forth_is_not_suspended(world: World) -> None:
    for number in range(8):
        world.poll("cologne", "203.0.113.9" if number % 2 == 0 else "203.0.113.2")
        world.wait(120)
        report(world, "berlin", line("cologne", "set", ELSEWHERE if number % 2 == 0 else THERE))
    assert PHRASE not in world.logged


def test_peer_that_returns_between_two_reports_is_not_suspended(world: World) -> None:
    for _ in range(4):
        world.poll("cologne", "203.0.113.9")
        world.wait(120)  # this table is never answered
        world.poll("cologne", "203.0.113.2")
        world.wait(120)
        report(world, "berlin", line("cologne", "set", THERE))
    assert PHRASE not in world.logged


def test_suspended_peer_that_is_reported_as_set_again_causes_no_more_tables_or_lines(world: World) -> None:
    """A router that lies in every report, as fast as its tables come."""
    for _ in range(4):
        rewrite(world)
    ask_again(world, "berlin")
    world.published.clear()
    world.logged.clear()
    answered = 0
    for _ in range(150):
        world.wait(0.1)
        if world.table_of("berlin").seq > answered:
            answered = world.table_of("berlin").seq
            for stage in ("applied", "final"):
                report(world, "berlin", line("cologne", "set", THERE), stage=stage)
    assert len(world.published) < 10
    assert len(world.logged) < 50
    assert PHRASE not in world.logged
