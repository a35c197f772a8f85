"""A link's path: proven by rx and handshake, retried less and less often, each time by both ends."""

import json

import pytest

from tests.engine.reporting import ask_again, line, make_status
from tests.engine.reporting import report as final_report
from tests.engine.world import World, key_of, make_pair
from wgmqtt.engine.diagnosis import link_trouble
from wgmqtt.engine.events import Reported, Woken
from wgmqtt.model import Link
from wgmqtt.wire.hub import LinkLine

NAMES = ("berlin", "cologne")


def report(world: World, name: str, rx: tuple[int, int], handshake: str = "00:00:03") -> None:
    """Let a router report both stages on its newest table, with rx before and after it sent through the tunnel."""
    other = next(each for each in NAMES if each != name)
    for stage, count in zip(("applied", "final"), rx, strict=True):
        line = {"key": str(key_of(other)), "did": "set", "rx": str(count), "handshake_s": handshake}
        body = {"v": 1, "seq": str(world.table_of(name).seq), "stage": stage, "peers": [line]}
        world.step(Reported(world.generation, name, json.dumps(body).encode()))


def kicks(world: World, seconds: float) -> list[float]:
    """Let routers report failure for so long; return when cologne was asked to try again."""
    start_s, times = world.mono_s, list[float]()
    while world.mono_s < start_s + seconds:
        before = world.table_of("cologne").seq
        world.wait(max(1.0, world.wake_s - world.mono_s))
        if world.table_of("cologne").seq > before:
            if world.table_of("cologne").peers[0].kick:  # else it was only asked for a report
                times.append(world.mono_s - start_s)
            for name in NAMES:
                report(world, name, (100, 100))
    return times


def test_rx_that_grew_with_a_young_handshake_proves_the_path() -> None:
    world = make_pair()
    report(world, "cologne", (100, 132))
    report(world, "berlin", (100, 132))
    assert "direct path proven" in world.logged
    world.wait(3600)
    assert len(world.published) == len(set(world.published)), "nothing is retried"


def test_rx_that_did_not_grow_proves_nothing_and_both_ends_retry() -> None:
    world = make_pair()
    before = {name: world.table_of(name).seq for name in NAMES}
    for name in NAMES:
        report(world, name, (100, 100))
    assert "direct path not established yet" in world.logged
    world.wait(6)
    for name in NAMES:
        table = world.table_of(name)
        assert table.seq > before[name]
        assert table.peers[0].kick


def test_rx_that_grew_with_an_old_handshake_proves_nothing() -> None:
    world = make_pair()
    report(world, "cologne", (100, 200), handshake="00:03:00")
    assert "direct path proven" not in world.logged


@pytest.mark.parametrize(("handshake", "is_proof"), [("00:00:50", False), ("00:00:02", True)])
def test_final_report_without_the_applied_one_proves_the_path_only_by_a_handshake_since_the_kick(
    handshake: str, *, is_proof: bool
) -> None:
    world = make_pair(wait_s=5)
    report_final(world, handshake)
    assert ("direct path proven" in world.logged) == is_proof


def test_final_report_on_a_table_without_kick_proves_the_path_by_a_live_session() -> None:
    world = make_pair(wait_s=40)
    for name in NAMES:
        ask_again(world, name)
    assert not any(world.table_of(name).peers[0].kick for name in NAMES)
    report_final(world, "00:01:40")
    assert "direct path proven" in world.logged


def report_final(world: World, handshake: str) -> None:
    """Let both routers report only the last stage, as if the first had been lost."""
    for name, other in (NAMES, NAMES[::-1]):
        final_report(world, name, line(other, handshake_s=handshake, rx="132"))


def link_line(world: World) -> LinkLine:
    """Return what the status says about the link."""
    return make_status(world.state, world.now).links[0]


def test_direct_by_the_word_of_one_end_alone_is_not_shown_as_direct() -> None:
    world = make_pair()
    report(world, "cologne", (100, 132))
    assert "direct path proven" not in world.logged
    assert link_line(world).state == "unknown"
    report(world, "berlin", (100, 132))
    assert world.logged.count("direct path proven") == 1
    assert link_line(world).state == "direct"


@pytest.mark.parametrize("order", [("cologne", "berlin"), ("berlin", "cologne")])
def test_direct_by_the_word_of_one_end_against_the_other_is_a_contradiction_and_retried(order: tuple[str, str]) -> None:
    world = make_pair()
    for name in order:
        report(world, name, (100, 132 if name == "cologne" else 100))
    assert "direct path proven" not in world.logged
    trouble = link_trouble(world.state, Link("berlin", "cologne"), world.now)
    assert "cologne receives packets, but berlin reports that it receives none" in trouble
    for pause_s in (6, 16, 46):
        before = {name: world.table_of(name).seq for name in NAMES}
        world.wait(pause_s)
        assert all(world.table_of(name).seq > before[name] and world.table_of(name).peers[0].kick for name in NAMES)
        for name in order:
            report(world, name, (200, 232 if name == "cologne" else 200))
    assert world.logged.count("direct path works in one direction only") == 1
    world.wait(201)
    for name in NAMES:
        report(world, name, (300, 332))
    assert link_line(world).state == "direct"


def test_direct_path_that_one_end_denies_later_is_no_longer_shown_as_direct() -> None:
    world = make_pair()
    for name in NAMES:
        report(world, name, (100, 132))
    world.wait(600)
    world.poll("berlin", "203.0.113.77")
    world.wait(1)
    report(world, "berlin", (200, 232))
    report(world, "cologne", (200, 200))
    assert link_line(world).state == "down"


def test_direct_path_that_breaks_long_after_its_proof_is_no_longer_shown_as_direct() -> None:
    world = make_pair()
    for name in NAMES:
        report(world, name, (1, 9))
    assert link_line(world).state == "direct"
    for _ in range(4):
        world.wait(6 * 3600.0)
        for name in NAMES:
            report(world, name, (9, 9), handshake="1d00:00:00")
    assert link_line(world).state == "down"
    assert world.state.retries


def test_direct_path_that_was_idle_stays_direct_after_one_new_attempt() -> None:
    world = make_pair()
    for name in NAMES:
        report(world, name, (1, 9))
    since_s = link_line(world).since_s
    world.wait(6 * 3600.0)
    before = {name: world.table_of(name).seq for name in NAMES}
    for name in NAMES:
        report(world, name, (9, 9), handshake="06:00:00")
    world.wait(6)
    assert all(world.table_of(name).seq > before[name] and world.table_of(name).peers[0].kick for name in NAMES)
    for name in NAMES:
        report(world, name, (9, 41))
    assert (link_line(world).state, link_line(world).since_s) == ("direct", since_s)
    assert not world.state.retries


def lose_request(world: World) -> None:
    """Let the next attempt begin, and the connection break before the tables arrive."""
    world.mono_s = world.wake_s = min(world.state.retries.at_s.values())
    world.step(Woken())
    assert not world.state.retries
    world.lose_broker()


def test_request_that_is_lost_with_the_connection_is_made_again_in_the_next_one() -> None:
    world = make_pair(wait_s=100)
    before = {name: world.table_of(name).seq for name in NAMES}
    for name in NAMES:
        report(world, name, (100, 100))
    lose_request(world)
    world.wait(5)
    for name in NAMES:
        table = world.table_of(name)
        assert table.seq > before[name]
        assert table.peers[0].kick
    assert not world.state.retries


def test_requests_that_a_broker_never_accepts_are_made_less_and_less_often() -> None:
    """It ends every connection at the first table: the neighbours must not get one in each of them."""
    world = make_pair(wait_s=100)
    for name in NAMES:
        report(world, name, (100, 100))
    lose_request(world)
    end_s, world.published = world.mono_s + 6000.0, []
    while world.mono_s < end_s:
        before = len(world.published)
        world.mono_s = max(world.mono_s, world.wake_s)
        world.step(Woken())
        while world.waiting and len(world.published) == before:
            world.next()
        if len(world.published) > before:
            world.lose_broker()
    assert 1 <= len(world.published) // 2 <= 8


def test_hopeless_link_is_retried_less_and_less_often() -> None:
    world = make_pair()
    for name in NAMES:
        report(world, name, (100, 100))
    times = kicks(world, 86_400.0)
    assert len(times) <= 12
    gaps = [late - early for early, late in zip([0.0, *times], times, strict=False)]
    assert gaps == sorted(gaps)
    assert world.logged.count("direct path cannot be established") == 1
    assert 1 <= len(kicks(world, 86_400.0)) <= 5


def test_move_of_an_end_restarts_the_counting_of_attempts() -> None:
    world = make_pair()
    for name in NAMES:
        report(world, name, (100, 100))
    kicks(world, 4_000.0)
    world.poll("berlin", "203.0.113.99")
    world.wait(1)
    for name in NAMES:
        report(world, name, (100, 100))
    assert kicks(world, 30.0)[0] < 7


def test_report_on_a_table_that_was_never_published_is_ignored() -> None:
    world = make_pair()
    body = {"v": 1, "seq": "99999999999999999999", "stage": "final", "peers": []}
    world.step(Reported(world.generation, "berlin", json.dumps(body).encode()))
    assert world.state.routers["berlin"].report is None


def test_report_that_releases_a_waiting_table_is_still_measured() -> None:
    world = make_pair()
    world.wait(2)
    world.poll("berlin", "203.0.113.77")
    world.deliver()
    world.poll("cologne", "203.0.113.78")  # the last table is not answered yet: the next one waits
    world.wait(0.1)
    assert world.state.spaced
    world.logged.clear()
    report(world, "cologne", (100, 132))
    world.deliver()
    assert "table applied" in world.logged
    assert "table final" in world.logged
