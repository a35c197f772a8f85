"""When to look at an interface next: the poll that never stops, and the chase after a hint. Pure.

A look is one dump; its cost is CPU time. All looks spend from one bucket of CPU time, which fills at a share of one
core, and wait until it holds another look. So a flood of hints costs that share and no more, and what is real among
them is seen as soon as the bucket allows.
"""

from dataclasses import dataclass, replace

MAX_S = 60.0
"""The next look is never further away."""
CHASE_S = (0.0, 0.001, 0.002, 0.004, 0.008, 0.02, 0.1, 0.4)
"""When to look after a hint: WireGuard needs 0.8 ms for a data packet and 1.4 ms for a handshake (median, measured)."""
CHEAP_S = 0.002
"""A look that costs less is worth it at once; a longer one that comes too early would only delay the next."""
BURST_S = 0.2
"""CPU time that is saved up at most: ten looks at ten thousand peers."""
POLL_PART = 0.6
"""Of its share polls beside hints take this much: what a look causes elsewhere in the loop has room in the rest."""
CHASE_TIMES = 10
"""A chase may use this many times the share of the poll."""
DOUBT_S = 60.0
"""How long hints are not relied on after a poll has found what none had announced."""
_NEWEST_WEIGHT = 0.25
_SLACK_S = 0.0001  # a look that begins so little before a step counts for it


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration allows. `poll_s`: the pace without hints; `share`: of one core, for polls beside hints."""

    poll_s: float
    share: float

    @property
    def chase_share(self) -> float:
        """Return the share of one core that all looks together may use."""
        return self.share * CHASE_TIMES


@dataclass(frozen=True, slots=True)
class Look:
    """One look that was taken: monotonic times, and its CPU time."""

    begun_s: float
    ended_s: float
    cost_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """What counts for the next look. Times are monotonic; `saved_s` is CPU time at `saved_at_s`."""

    looked_s: float
    saved_at_s: float
    saved_s: float = BURST_S
    cost_s: float = 0.0
    hint_s: float | None = None
    step: int = 0
    has_hints: bool = False
    doubt_until_s: float = float("-inf")


def start(now_s: float) -> Pace:
    """Return the pace after a first look that cost nothing."""
    return Pace(looked_s=now_s, saved_at_s=now_s)


def hinted(pace: Pace, now_s: float) -> Pace:
    """Return the pace after a hint: the chase begins anew."""
    return replace(pace, hint_s=now_s, step=0 if pace.cost_s < CHEAP_S else 1)


def missed(pace: Pace, now_s: float) -> Pace:
    """Return the pace after a look has found what no hint had announced."""
    return replace(pace, doubt_until_s=now_s + DOUBT_S)


def with_hints(pace: Pace, *, has_hints: bool) -> Pace:
    """Return the pace after hints began to work, or failed."""
    return replace(pace, has_hints=has_hints)


def looked(pace: Pace, limits: Limits, look: Look, *, is_done: bool) -> Pace:
    """Return the pace after a look. `is_done`: nothing is left to chase."""
    cost = pace.cost_s + _NEWEST_WEIGHT * (look.cost_s - pace.cost_s) if pace.cost_s else look.cost_s
    step = None if is_done or pace.hint_s is None else _next_step(look.begun_s - pace.hint_s)
    return replace(
        pace,
        looked_s=look.ended_s,
        saved_at_s=look.ended_s,
        saved_s=_saved_s(pace, limits, look.ended_s) - look.cost_s,
        cost_s=cost,
        hint_s=None if step is None else pace.hint_s,
        step=step or 0,
    )


def _next_step(age_s: float) -> int | None:
    """Return the first step of the chase that comes after a look which began `age_s` after the hint.

    A look that takes long is several steps at once; one that began before the hint, none.
    """
    return next((number for number, step_s in enumerate(CHASE_S) if step_s > age_s + _SLACK_S), None)


def next_look_s(pace: Pace, limits: Limits) -> float:
    """Return the monotonic time of the next look."""
    due_s = pace.looked_s + _poll_interval_s(pace, limits)
    if pace.hint_s is not None:
        due_s = min(due_s, pace.hint_s + CHASE_S[pace.step])
    return min(max(due_s, _affordable_s(pace, limits)), pace.looked_s + MAX_S)


def _poll_interval_s(pace: Pace, limits: Limits) -> float:
    relies = pace.has_hints and pace.looked_s >= pace.doubt_until_s
    return max(limits.poll_s, pace.cost_s / (limits.share * POLL_PART) if relies else 0.0)


def _affordable_s(pace: Pace, limits: Limits) -> float:
    """Return when the bucket holds another look of the usual cost, or is full."""
    lacking_s = min(pace.cost_s, BURST_S) - pace.saved_s
    return pace.saved_at_s + lacking_s / limits.chase_share


def _saved_s(pace: Pace, limits: Limits, now_s: float) -> float:
    return min(BURST_S, pace.saved_s + (now_s - pace.saved_at_s) * limits.chase_share)
