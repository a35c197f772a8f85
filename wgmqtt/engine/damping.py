"""When a peer's new endpoint is told: the first change at once, repeats ever more slowly, never too many an hour. Pure.

Each endpoint told is written to the flash of every router that is linked to it, so a flapping peer must not write for
ever. The longest pause stays below the time after which NAT boxes forget a mapping (RFC 4787, REQ-5: two minutes, in
practice 30 s and more).
"""

import math
from collections.abc import Iterable
from dataclasses import replace

from wgmqtt.engine import port_churn
from wgmqtt.engine.state import Damper, State
from wgmqtt.model import Endpoint, PublicKey, Sighting

LONGEST_PAUSE_S = 20.0
DECAY_S = 60.0  # after so long without news, a peer is trusted one step more
WRITES_PER_HOUR = 60
FULL = float(WRITES_PER_HOUR)
HOUR_S = 3600.0


def first_told(state: State, moved: Iterable[Sighting]) -> State:
    """Tell at once where those are of whom nothing was ever told. All in one step: at a start that is everybody."""
    fresh = {one.key: Damper(told=one.endpoint, tokens=FULL) for one in moved if one.key not in state.dampers}
    return replace(state, dampers={**state.dampers, **fresh}) if fresh else state


def notice(state: State, key: PublicKey, endpoint: Endpoint, mono_s: float) -> tuple[State, bool]:
    """Take note of a change; returns whether it is told now. Otherwise it is told when its pause is over."""
    damper = state.dampers.get(key, Damper())
    if damper.told is None:
        first = replace(damper, told=endpoint, tokens=FULL)
        return replace(state, dampers={**state.dampers, key: first}), True
    if mono_s >= damper.open_s:
        return _told(state, key, endpoint, mono_s), True
    return replace(state, paused_s={**state.paused_s, key: damper.open_s}), False


def release_due(state: State, mono_s: float) -> tuple[State, frozenset[PublicKey]]:
    """Tell what waited and may be told now; returns whose links must be tried anew.

    Also a peer that came back to where it was told to be: its NAT mapping may be another, so both ends must send.
    """
    due = frozenset(key for key, open_s in state.paused_s.items() if open_s <= mono_s)
    if not due:
        return state, due
    for key in due:
        seen = state.seen.get(key)
        if key in state.dampers and seen and seen.sighting.endpoint:
            state = _told(state, key, seen.sighting.endpoint, mono_s)
    paused_s = {key: open_s for key, open_s in state.paused_s.items() if key not in due}
    return replace(state, paused_s=paused_s), due


def _told(state: State, key: PublicKey, endpoint: Endpoint, mono_s: float) -> State:
    damper = released(state.dampers[key], endpoint, mono_s)
    if port_churn.is_restless(state, key, mono_s):  # nobody can keep up with it, and each change is written to flash
        damper = replace(damper, open_s=max(damper.open_s, mono_s + LONGEST_PAUSE_S))
    return replace(state, dampers={**state.dampers, key: damper})


def released(damper: Damper, endpoint: Endpoint, mono_s: float) -> Damper:
    """Return the damper after `endpoint` was told: one step slower, one write poorer."""
    idle_s = mono_s - damper.released_s
    level = 0 if math.isinf(idle_s) else max(0, damper.level - int(idle_s / DECAY_S))
    earned = WRITES_PER_HOUR if math.isinf(idle_s) else idle_s / HOUR_S * WRITES_PER_HOUR
    tokens = min(FULL, damper.tokens + earned) - 1.0
    pause_s = min(LONGEST_PAUSE_S, 2.0**level)
    if tokens < 1.0:
        pause_s = max(pause_s, HOUR_S / WRITES_PER_HOUR)
    return Damper(endpoint, level + 1, mono_s, mono_s + pause_s, tokens)
