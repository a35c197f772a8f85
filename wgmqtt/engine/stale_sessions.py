"""A router that lives but does not answer: its connection to the broker is stale, and is broken from here. Pure.

After an outage the broker's TCP waits ever longer before it tries again (10 s away: 3-4 s, 30 s away: 10-24 s). The
router itself notices nothing. When its connection is reset it connects anew at once, and gets its table with that.
"""

from collections.abc import Iterable
from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine.effects import BreakSession, Effect
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import State
from wgmqtt.logline import say
from wgmqtt.model import PublicKey

LATE_S = 1.0
AGAIN_S = 60.0


def asked(state: State, names: Iterable[str], now: Now) -> State:
    """Note that routers were sent a table."""
    return replace(state, unanswered_s={**state.unanswered_s, **dict.fromkeys(names, now.mono_s)})


def answered(state: State, name: str) -> State:
    """Note that a router has answered its newest table."""
    if name not in state.unanswered_s:
        return state
    unanswered_s, late_s = dict(state.unanswered_s), dict(state.late_s)
    del unanswered_s[name]
    late_s.pop(name, None)
    return replace(state, unanswered_s=unanswered_s, late_s=late_s)


def awaited(state: State) -> frozenset[bytes]:
    """Return the keys of routers whose next sign of life would begin their `LATE_S`."""
    owing = state.unanswered_s.keys() & state.reports.keys() - state.late_s.keys()
    return frozenset(state.roster.by_name[name].key.raw for name in owing if name in state.roster.by_name)


def alive(state: State, keys: Iterable[PublicKey], now: Now) -> State:
    """Note a sign of life of peers; who owes an answer gets `LATE_S` from now on."""
    late_s = dict(state.late_s)
    for key in keys:
        router = state.roster.by_key.get(key)
        # Who was never heard has no script, or no broker that it reaches: there is nothing to break.
        if router and router.name in state.unanswered_s and router.name in state.reports:
            broken_s = state.broken_s.get(router.name, -AGAIN_S)
            late_s.setdefault(router.name, max(now.mono_s + LATE_S, broken_s + AGAIN_S))
    return state if late_s == state.late_s else replace(state, late_s=late_s)


def woken(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Break the connections of those who live and are late."""
    due = [name for name, at_s in state.late_s.items() if at_s <= now.mono_s]
    if not due or state.session.phase != "ready" or state.is_frozen:
        return state, []
    effects: list[Effect] = []
    for name in due:
        waited_ms = f"{(now.mono_s - state.unanswered_s[name]) * 1000:.0f}"
        effects.append(say(phrases.NO_ANSWER, router=name, ms=waited_ms))
        effects.append(BreakSession(state.session.generation, name))
    late_s = {name: at_s for name, at_s in state.late_s.items() if name not in due}
    broken_s = {**state.broken_s, **dict.fromkeys(due, now.mono_s)}
    return replace(state, late_s=late_s, broken_s=broken_s), effects
