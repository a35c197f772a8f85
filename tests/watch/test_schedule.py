"""When to look next: never more CPU time than allowed, always a next look, at once after a hint."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.watch import schedule
from wgmqtt.watch.schedule import BURST_S, CHASE_S, CHEAP_S, DOUBT_S, MAX_S, POLL_PART, Limits, Look, Pace

LIMITS = Limits(poll_s=1.0, share=0.01)
TEN_THOUSAND_S = 0.025  # CPU time of one dump of ten thousand peers, measured


def play(start: Pace, limits: Limits, hints_s: list[float], costs_s: list[float], until_s: float = 30.0) -> list[Look]:
    """Take every look when it is due; a chase never finds anything, so it is as long as it can be."""
    now = start
    looks: list[Look] = []
    waiting = sorted(hints_s)
    for number in range(100_000):
        next_s = schedule.next_look_s(now, limits)
        if waiting and waiting[0] <= next_s:
            now = schedule.hinted(now, waiting.pop(0))
            continue
        begun_s = max(next_s, looks[-1].ended_s if looks else 0.0)
        if begun_s > until_s:
            return looks
        cost_s = costs_s[number % len(costs_s)]
        looks.append(Look(begun_s, begun_s + cost_s, cost_s))
        now = schedule.looked(now, limits, looks[-1], is_done=False)
    raise AssertionError("never comes to an end")


def beginning(*, has_hints: bool = True) -> Pace:
    return schedule.with_hints(schedule.start(0.0), has_hints=has_hints)


COSTS = st.lists(st.floats(0.0001, 0.3), min_size=1, max_size=20)
HUGE_COSTS = st.lists(st.floats(0.0001, 20), min_size=1, max_size=20)
HINTS = st.lists(st.floats(0, 30), max_size=60)
ANY_LIMITS = st.builds(Limits, st.floats(0.1, 60), st.floats(0.001, 0.1))


@given(limits=ANY_LIMITS, hints_s=HINTS, costs_s=COSTS, has_hints=st.booleans())
def test_play_any_hints_and_costs_never_use_more_than_the_budget(
    *, limits: Limits, hints_s: list[float], costs_s: list[float], has_hints: bool
) -> None:
    """Over any window: what was saved up, the share of the time, and the one look whose cost nobody could know."""
    looks = play(beginning(has_hints=has_hints), limits, hints_s, costs_s)
    for first in range(len(looks)):
        spent_s = 0.0
        for look in looks[first:]:
            spent_s += look.cost_s
            window_s = look.ended_s - looks[first].begun_s
            assert spent_s <= BURST_S + window_s * limits.chase_share + max(costs_s) + 1e-6


@given(limits=ANY_LIMITS, hints_s=HINTS, costs_s=HUGE_COSTS, has_hints=st.booleans(), doubts=st.booleans())
def test_next_look_is_set_and_never_far_away(
    *, limits: Limits, hints_s: list[float], costs_s: list[float], has_hints: bool, doubts: bool
) -> None:
    now = beginning(has_hints=has_hints)
    for number, hint_s in enumerate(sorted(hints_s)):
        cost_s = costs_s[number % len(costs_s)]
        look = Look(hint_s, hint_s + cost_s, cost_s)
        now = schedule.looked(schedule.hinted(now, hint_s), limits, look, is_done=number % 3 == 0)
        now = schedule.missed(now, hint_s + cost_s) if doubts else now
        assert now.looked_s <= schedule.next_look_s(now, limits) + cost_s
        assert schedule.next_look_s(now, limits) <= now.looked_s + MAX_S


@given(ANY_LIMITS, st.floats(0.0001, 0.1), st.floats(30, 1000))
def test_hint_after_a_quiet_time_is_followed_at_once(limits: Limits, cost_s: float, hint_s: float) -> None:
    quiet = replace(beginning(), cost_s=cost_s, looked_s=hint_s - 0.5)
    step = 0 if cost_s < CHEAP_S else 1
    assert schedule.next_look_s(schedule.hinted(quiet, hint_s), limits) <= hint_s + CHASE_S[step]


def test_chase_ends_when_the_change_shows_or_after_its_last_step() -> None:
    looks = play(beginning(), LIMITS, [5.0003], [0.0005], 6.0)
    chase = [round(look.begun_s - 5.0003, 4) for look in looks if look.begun_s >= 5.0003]
    assert chase[: len(CHASE_S)] == [round(step, 4) for step in CHASE_S]
    found = schedule.looked(schedule.hinted(beginning(), 5.0), LIMITS, Look(5.001, 5.002, 0.0005), is_done=True)
    assert schedule.next_look_s(found, LIMITS) == 5.002 + LIMITS.poll_s


def test_chase_with_looks_that_take_long_skips_the_steps_they_cover() -> None:
    """Ten thousand peers: after 1 ms, when that one ends, and at the steps that are left."""
    looks = play(replace(beginning(), cost_s=TEN_THOUSAND_S), LIMITS, [0.5], [TEN_THOUSAND_S], 0.95)
    assert [round(look.begun_s - 0.5, 3) for look in looks] == [0.001, 0.026, 0.1, 0.4]


def test_hint_during_a_look_is_followed_by_another_one() -> None:
    hinted = schedule.hinted(beginning(), 5.01)
    now = schedule.looked(hinted, LIMITS, Look(5.0, 5.025, TEN_THOUSAND_S), is_done=False)
    assert schedule.next_look_s(now, LIMITS) <= 5.025


def test_second_hint_begins_the_chase_anew() -> None:
    now = schedule.looked(schedule.hinted(beginning(), 5.0), LIMITS, Look(5.1, 5.101, 0.001), is_done=False)
    assert schedule.next_look_s(schedule.hinted(now, 5.2), LIMITS) == 5.2 + CHASE_S[0]


def test_poll_beside_hints_is_stretched_to_its_share() -> None:
    """Ten thousand peers: 15 ms every 2.5 s are 0.6 % of a core."""
    looks = play(beginning(), LIMITS, [], [0.6 * TEN_THOUSAND_S], 60.0)
    assert 23 <= len(looks) <= 25
    few = play(beginning(), LIMITS, [], [0.0005], 60.0)
    assert 59 <= len(few) <= 60


def test_poll_without_hints_keeps_its_pace_within_the_budget() -> None:
    assert 58 <= len(play(beginning(has_hints=False), LIMITS, [], [TEN_THOUSAND_S], 60.0)) <= 59
    looks = play(beginning(has_hints=False), Limits(0.1, 0.01), [], [TEN_THOUSAND_S], 60.0)
    assert sum(look.cost_s for look in looks) <= BURST_S + 6.0 + TEN_THOUSAND_S


def test_poll_after_a_miss_keeps_its_pace_for_a_minute() -> None:
    now = schedule.looked(beginning(), LIMITS, Look(0.975, 1.0, TEN_THOUSAND_S), is_done=True)
    stretched_s = TEN_THOUSAND_S / (0.01 * POLL_PART)
    assert schedule.next_look_s(now, LIMITS) == 1.0 + stretched_s
    doubting = schedule.missed(now, 1.0)
    assert schedule.next_look_s(doubting, LIMITS) == 1.0 + LIMITS.poll_s
    late_s = 1.0 + DOUBT_S
    assert schedule.next_look_s(replace(doubting, looked_s=late_s), LIMITS) == late_s + stretched_s


def test_flood_of_hints_is_looked_into_all_the_time_at_the_pace_of_the_budget() -> None:
    """Two hundred hints a second, ten thousand peers: a tenth of a core, never more than 0.3 s between two looks."""
    looks = play(beginning(), LIMITS, [number / 200 for number in range(6000)], [TEN_THOUSAND_S], 30.0)
    later = [look.begun_s for look in looks if look.begun_s > 3.0]
    assert max(after - before for before, after in pairwise(later)) < 0.3
    assert sum(look.cost_s for look in looks) < BURST_S + 3.0 + TEN_THOUSAND_S
