"""Fast on the first change, slow on repeats; a flap that nets to nothing; the budget of writes; a router's spacing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.world import make_pair, make_world
from wgmqtt.engine.damping import LONGEST_PAUSE_S, WRITES_PER_HOUR, after_release
from wgmqtt.engine.events import FreezeChecked

HOME, AWAY = "203.0.113.1", "203.0.113.77"


def test_first_change_after_a_while_is_published_at_once() -> None:
    world = make_pair(wait_s=600)
    world.poll("berlin", AWAY)
    assert world.endpoint_in("cologne", "berlin") == f"{AWAY}:51820"


def test_second_change_within_a_second_is_published_after_its_pause() -> None:
    world = make_pair(wait_s=600)
    world.poll("berlin", AWAY)
    world.wait(0.4)
    world.poll("berlin", HOME)
    world.wait(0.1)
    assert world.endpoint_in("cologne", "berlin") == f"{AWAY}:51820"
    world.wait(0.6)
    assert world.endpoint_in("cologne", "berlin") == f"{HOME}:51820"


def test_flap_that_nets_to_nothing_ends_in_a_new_seq_with_kick() -> None:
    world = make_pair(wait_s=600)
    world.poll("berlin", AWAY)
    world.wait(0.4)
    world.poll("berlin", HOME)
    world.poll("berlin", AWAY)
    world.wait(40)  # the kicks of the first change are over
    world.poll("berlin", HOME)
    world.wait(0.2)
    before = world.table_of("cologne").seq
    world.poll("berlin", AWAY)
    world.poll("berlin", HOME)
    world.wait(5)
    table = world.table_of("cologne")
    assert table.seq > before
    assert world.endpoint_in("cologne", "berlin") == f"{HOME}:51820"
    assert table.peers[0].kick


@pytest.mark.parametrize("pause_s", [0.2, 120])
@pytest.mark.parametrize("is_frozen", [False, True])
def test_flap_that_nets_to_nothing_while_nothing_is_published_ends_in_a_kick_later(
    pause_s: float, *, is_frozen: bool
) -> None:
    world = make_pair(wait_s=600)
    before = {name: world.table_of(name).seq for name in ("berlin", "cologne")}
    world.reachable = False
    world.step(FreezeChecked(is_frozen=True)) if is_frozen else world.lose_broker()
    for address in (AWAY, HOME):
        world.poll("berlin", address)
        world.wait(pause_s)
    world.wait(60)
    world.reachable = True
    if is_frozen:
        world.step(FreezeChecked(is_frozen=False))
    world.wait(10)
    for name, seq in before.items():
        assert world.table_of(name).seq > seq
        assert world.table_of(name).peers[0].kick
    assert world.endpoint_in("cologne", "berlin") == f"{HOME}:51820"


def test_peer_that_flaps_continuously_is_published_at_most_every_twenty_seconds() -> None:
    world = make_pair(wait_s=600)
    changes, times = 0, list[float]()
    start_s = world.mono_s
    while world.mono_s < start_s + 300:
        before = len(world.published)
        world.poll("berlin", (HOME, AWAY)[changes % 2], 1000 + changes)
        changes += 1
        world.wait(1.0)
        if len(world.published) > before:
            times.append(world.mono_s - start_s)
    gaps = [late - early for early, late in itertools.pairwise(times)]
    assert times[0] <= 1.0
    assert max(gaps) <= LONGEST_PAUSE_S + 1
    assert gaps[-1] >= LONGEST_PAUSE_S - 1
    assert len(times) < 25


@given(st.lists(st.floats(0.0, 400.0), min_size=1, max_size=300))
def test_releases_of_one_peer_stay_within_the_budget_of_writes(waits: list[float]) -> None:
    """In any hour: the full budget, and what is earned in that hour."""
    damping, mono_s, times = after_release(None, 0.0), 0.0, [0.0]
    for wait_s in waits:
        mono_s = max(mono_s + wait_s, damping.open_s)
        damping = after_release(damping, mono_s)
        times.append(mono_s)
        assert damping.open_s > mono_s
    for start_s in times:
        in_an_hour = sum(1 for at_s in times if start_s <= at_s < start_s + 3600)
        assert in_an_hour <= 2 * WRITES_PER_HOUR + 1


def test_two_changes_of_different_peers_within_300_ms_are_two_tables_for_their_neighbour() -> None:
    world = make_world()
    world.connect()
    for number, name in enumerate(("berlin", "cologne", "dresden"), 1):
        world.poll(name, f"203.0.113.{number}")
    world.wait(600)
    world.published.clear()
    world.poll("berlin", "203.0.113.101")
    world.deliver()
    world.poll("cologne", "203.0.113.102")
    world.wait(1.0)
    assert [name for name, _ in world.published].count("dresden") == 2
    assert world.endpoint_in("dresden", "berlin") == "203.0.113.101:51820"
    assert world.endpoint_in("dresden", "cologne") == "203.0.113.102:51820"
    first, second = (table.seq for name, table in world.published if name == "dresden")
    assert second - first >= 300, "seq is the clock in ms"


def test_report_of_a_router_ends_its_spacing() -> None:
    world = make_pair(wait_s=600)
    world.poll("berlin", AWAY)
    world.deliver()
    world.answer("cologne")
    world.poll("cologne", "203.0.113.9")
    sent = len(world.published)
    world.answer("berlin")
    world.deliver()
    assert world.endpoint_in("berlin", "cologne") == "203.0.113.9:51820"
    assert len(world.published) >= sent
