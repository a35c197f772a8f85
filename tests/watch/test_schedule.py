"""When to poll next: never more CPU time than allowed, always a next poll, at once after a hint."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.watch import schedule
from wgmqtt.watch.schedule import (
    BUDGET_S,
    BURST_DELAYS_S,
    CHEAP_POLL_S,
    DISTRUST_S,
    MAX_INTERVAL_S,
    STEADY_PART,
    Limits,
    Poll,
    Schedule,
)

LIMITS = Limits(poll_s=1.0, share=0.01)
TEN_THOUSAND_S = 0.025  # CPU time of one dump of ten thousand peers, measured


def play(
    start: Schedule, limits: Limits, hints_s: list[float], costs_s: list[float], until_s: float = 30.0
) -> list[Poll]:
    """Take every poll when it is due; bursts never find anything, so they are as long as they can be."""
    now = start
    polls: list[Poll] = []
    waiting = sorted(hints_s)
    for number in range(100_000):
        next_s = schedule.next_poll_s(now, limits)
        if waiting and waiting[0] <= next_s:
            now = schedule.after_hint(now, waiting.pop(0))
            continue
        began_s = max(next_s, polls[-1].ended_s if polls else 0.0)
        if began_s > until_s:
            return polls
        cost_s = costs_s[number % len(costs_s)]
        polls.append(Poll(began_s, began_s + cost_s, cost_s))
        now = schedule.after_poll(now, limits, polls[-1], is_done=False)
    raise AssertionError("the time never passes")


def beginning(*, has_hints: bool = True) -> Schedule:
    return schedule.with_hints(schedule.start(0.0), has_hints=has_hints)


COSTS = st.lists(st.floats(0.0001, 0.3), min_size=1, max_size=20)
HUGE_COSTS = st.lists(st.floats(0.0001, 20), min_size=1, max_size=20)
HINTS = st.lists(st.floats(0, 30), max_size=60)
ANY_LIMITS = st.builds(Limits, st.floats(0.1, 60), st.floats(0.001, 0.1))


@given(limits=ANY_LIMITS, hints_s=HINTS, costs_s=COSTS, has_hints=st.booleans())
def test_any_hints_and_costs_never_use_more_than_the_budget(
    *, limits: Limits, hints_s: list[float], costs_s: list[float], has_hints: bool
) -> None:
    """Over any window: what was saved up, the share of the time, and one poll of unexpected cost."""
    polls = play(beginning(has_hints=has_hints), limits, hints_s, costs_s)
    for first in range(len(polls)):
        spent_s = 0.0
        for poll in polls[first:]:
            spent_s += poll.cost_s
            window_s = poll.ended_s - polls[first].began_s
            assert spent_s <= BUDGET_S + window_s * limits.total_share + max(costs_s) + 1e-6


@given(limits=ANY_LIMITS, hints_s=HINTS, costs_s=HUGE_COSTS, has_hints=st.booleans(), distrusts=st.booleans())
def test_next_poll_is_always_due_within_the_longest_interval(
    *, limits: Limits, hints_s: list[float], costs_s: list[float], has_hints: bool, distrusts: bool
) -> None:
    now = beginning(has_hints=has_hints)
    for number, hint_s in enumerate(sorted(hints_s)):
        cost_s = costs_s[number % len(costs_s)]
        poll = Poll(hint_s, hint_s + cost_s, cost_s)
        now = schedule.after_poll(schedule.after_hint(now, hint_s), limits, poll, is_done=number % 3 == 0)
        now = schedule.after_missed_hint(now, hint_s + cost_s) if distrusts else now
        assert now.polled_s <= schedule.next_poll_s(now, limits) + cost_s
        assert schedule.next_poll_s(now, limits) <= now.polled_s + MAX_INTERVAL_S


@given(ANY_LIMITS, st.floats(0.0001, 0.1), st.floats(30, 1000))
def test_hint_after_a_quiet_time_is_followed_by_a_poll_at_once(limits: Limits, cost_s: float, hint_s: float) -> None:
    quiet = replace(beginning(), cost_s=cost_s, polled_s=hint_s - 0.5)
    step = 0 if cost_s < CHEAP_POLL_S else 1
    assert schedule.next_poll_s(schedule.after_hint(quiet, hint_s), limits) <= hint_s + BURST_DELAYS_S[step]


def test_burst_ends_when_it_has_found_the_change_or_after_its_last_step() -> None:
    polls = play(beginning(), LIMITS, [5.0003], [0.0005], 6.0)
    burst = [round(poll.began_s - 5.0003, 4) for poll in polls if poll.began_s >= 5.0003]
    assert burst[: len(BURST_DELAYS_S)] == [round(step, 4) for step in BURST_DELAYS_S]
    found = schedule.after_poll(schedule.after_hint(beginning(), 5.0), LIMITS, Poll(5.001, 5.002, 0.0005), is_done=True)
    assert schedule.next_poll_s(found, LIMITS) == 5.002 + LIMITS.poll_s


def test_burst_of_long_polls_skips_the_steps_they_cover() -> None:
    """Ten thousand peers: after 1 ms, when that poll has ended, and at the remaining steps."""
    polls = play(replace(beginning(), cost_s=TEN_THOUSAND_S), LIMITS, [0.5], [TEN_THOUSAND_S], 0.95)
    assert [round(poll.began_s - 0.5, 3) for poll in polls] == [0.001, 0.026, 0.1, 0.4]


def test_hint_during_a_poll_is_followed_by_another_poll() -> None:
    hinted = schedule.after_hint(beginning(), 5.01)
    now = schedule.after_poll(hinted, LIMITS, Poll(5.0, 5.025, TEN_THOUSAND_S), is_done=False)
    assert schedule.next_poll_s(now, LIMITS) <= 5.025


def test_second_hint_begins_a_new_burst() -> None:
    now = schedule.after_poll(schedule.after_hint(beginning(), 5.0), LIMITS, Poll(5.1, 5.101, 0.001), is_done=False)
    assert schedule.next_poll_s(schedule.after_hint(now, 5.2), LIMITS) == 5.2 + BURST_DELAYS_S[0]


def test_interval_beside_hints_is_stretched_to_its_share() -> None:
    """Ten thousand peers: 15 ms every 2.5 s are 0.6 % of a core."""
    polls = play(beginning(), LIMITS, [], [0.6 * TEN_THOUSAND_S], 60.0)
    assert 23 <= len(polls) <= 25
    few = play(beginning(), LIMITS, [], [0.0005], 60.0)
    assert 59 <= len(few) <= 60


def test_interval_without_hints_is_kept_within_the_budget() -> None:
    assert 58 <= len(play(beginning(has_hints=False), LIMITS, [], [TEN_THOUSAND_S], 60.0)) <= 59
    polls = play(beginning(has_hints=False), Limits(0.1, 0.01), [], [TEN_THOUSAND_S], 60.0)
    assert sum(poll.cost_s for poll in polls) <= BUDGET_S + 6.0 + TEN_THOUSAND_S


def test_interval_after_a_missed_hint_is_kept_for_a_minute() -> None:
    now = schedule.after_poll(beginning(), LIMITS, Poll(0.975, 1.0, TEN_THOUSAND_S), is_done=True)
    stretched_s = TEN_THOUSAND_S / (0.01 * STEADY_PART)
    assert schedule.next_poll_s(now, LIMITS) == 1.0 + stretched_s
    distrusting = schedule.after_missed_hint(now, 1.0)
    assert schedule.next_poll_s(distrusting, LIMITS) == 1.0 + LIMITS.poll_s
    late_s = 1.0 + DISTRUST_S
    assert schedule.next_poll_s(replace(distrusting, polled_s=late_s), LIMITS) == late_s + stretched_s


def test_flood_of_hints_is_polled_all_the_time_as_the_budget_allows() -> None:
    """Two hundred hints a second, ten thousand peers: a tenth of a core, never more than 0.3 s between two polls."""
    polls = play(beginning(), LIMITS, [number / 200 for number in range(6000)], [TEN_THOUSAND_S], 30.0)
    later = [poll.began_s for poll in polls if poll.began_s > 3.0]
    assert max(after - before for before, after in pairwise(later)) < 0.3
    assert sum(poll.cost_s for poll in polls) < BUDGET_S + 3.0 + TEN_THOUSAND_S
