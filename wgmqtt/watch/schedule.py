"""Decide when to poll an interface next: at a steady interval, and in a burst after a hint.

A poll is one dump, and its cost is CPU time. All polls of an interface spend from one budget, a token bucket of CPU
time that fills at a share of one core, and wait until it holds the cost of another poll. So a flood of hints costs
that share and no more, and a real change within the flood is seen as soon as the budget allows.
"""

from dataclasses import dataclass, replace

MAX_INTERVAL_S = 60.0
"""The longest interval between two polls."""
BURST_DELAYS_S = (0.0, 0.001, 0.002, 0.004, 0.008, 0.02, 0.1, 0.4)
"""The polls after a hint. WireGuard needs 0.8 ms for a data packet and 1.4 ms for a handshake (median, measured)."""
CHEAP_POLL_S = 0.002
"""A cheaper poll is worth doing at once; a longer one that comes too early would only delay the next."""
BUDGET_S = 0.2
"""The most CPU time that is saved up: ten polls of ten thousand peers."""
STEADY_PART = 0.6
"""The part of the share that steady polls beside hints may use; the rest is for what a poll causes elsewhere."""
BURST_FACTOR = 10
"""All polls together may use this many times the share of the steady ones."""
DISTRUST_S = 60.0
"""How long hints are not relied on after a poll found a move that no hint had announced."""
_NEWEST_WEIGHT = 0.25
_SLACK_S = 0.0001  # a poll that begins this much before its time counts for it


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration allows. `poll_s`: the interval without hints; `share`: of one core, beside hints."""

    poll_s: float
    share: float

    @property
    def total_share(self) -> float:
        """Return the share of one core that all polls together may use."""
        return self.share * BURST_FACTOR


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll: monotonic times, and the CPU time that it cost."""

    began_s: float
    ended_s: float
    cost_s: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """What decides when the next poll is due. Times are monotonic; `saved_s` is CPU time, as of `saved_at_s`."""

    polled_s: float
    saved_at_s: float
    saved_s: float = BUDGET_S
    cost_s: float = 0.0
    """The usual cost of a poll: a moving average."""
    hint_s: float | None = None
    """When the current burst began, if there is one."""
    step: int = 0
    has_hints: bool = False
    distrust_until_s: float = float("-inf")


def start(now_s: float) -> Schedule:
    """Return the schedule after a first poll that cost nothing."""
    return Schedule(polled_s=now_s, saved_at_s=now_s)


def after_hint(schedule: Schedule, now_s: float) -> Schedule:
    """Return the schedule after a hint: a new burst begins."""
    return replace(schedule, hint_s=now_s, step=0 if schedule.cost_s < CHEAP_POLL_S else 1)


def after_missed_hint(schedule: Schedule, now_s: float) -> Schedule:
    """Return the schedule after a poll found a move that no hint had announced."""
    return replace(schedule, distrust_until_s=now_s + DISTRUST_S)


def with_hints(schedule: Schedule, *, has_hints: bool) -> Schedule:
    """Return the schedule after hints began to work, or failed."""
    return replace(schedule, has_hints=has_hints)


def after_poll(schedule: Schedule, limits: Limits, poll: Poll, *, is_done: bool) -> Schedule:
    """Return the schedule after a poll. `is_done`: the burst has found what it looked for."""
    cost = schedule.cost_s + _NEWEST_WEIGHT * (poll.cost_s - schedule.cost_s) if schedule.cost_s else poll.cost_s
    step = None if is_done or schedule.hint_s is None else _next_step(poll.began_s - schedule.hint_s)
    return replace(
        schedule,
        polled_s=poll.ended_s,
        saved_at_s=poll.ended_s,
        saved_s=_saved_s(schedule, limits, poll.ended_s) - poll.cost_s,
        cost_s=cost,
        hint_s=None if step is None else schedule.hint_s,
        step=step or 0,
    )


def _next_step(age_s: float) -> int | None:
    """Return the first step of the burst after a poll that began `age_s` after the hint, None if it was the last.

    A long poll covers several steps; one that began before the hint, none.
    """
    return next((step for step, delay_s in enumerate(BURST_DELAYS_S) if delay_s > age_s + _SLACK_S), None)


def next_poll_s(schedule: Schedule, limits: Limits) -> float:
    """Return the monotonic time of the next poll."""
    due_s = schedule.polled_s + _interval_s(schedule, limits)
    if schedule.hint_s is not None:
        due_s = min(due_s, schedule.hint_s + BURST_DELAYS_S[schedule.step])
    return min(max(due_s, _affordable_s(schedule, limits)), schedule.polled_s + MAX_INTERVAL_S)


def _interval_s(schedule: Schedule, limits: Limits) -> float:
    relies_on_hints = schedule.has_hints and schedule.polled_s >= schedule.distrust_until_s
    return max(limits.poll_s, schedule.cost_s / (limits.share * STEADY_PART) if relies_on_hints else 0.0)


def _affordable_s(schedule: Schedule, limits: Limits) -> float:
    """Return when the budget holds the usual cost of a poll, or is full."""
    lacking_s = min(schedule.cost_s, BUDGET_S) - schedule.saved_s
    return schedule.saved_at_s + lacking_s / limits.total_share


def _saved_s(schedule: Schedule, limits: Limits, now_s: float) -> float:
    return min(BUDGET_S, schedule.saved_s + (now_s - schedule.saved_at_s) * limits.total_share)
