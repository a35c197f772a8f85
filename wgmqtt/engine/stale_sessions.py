"""A router that is alive but does not report: its connection to the broker is stale, and is reset.

After an outage the broker's TCP waits longer and longer before it retries (10 s away: 3-4 s, 30 s away: 10-24 s). The
router itself does not notice. When its connection is reset, it reconnects at once and gets its table.
"""

import math
from collections.abc import Iterable

from wgmqtt import phrases
from wgmqtt.engine.effects import ResetConnection
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.model import PublicKey

STALE_S = 1.0
AGAIN_S = 60.0


def asked(state: State, record: RouterRecord, mono_s: float) -> None:
    """Remember that a router was sent a table, and owes a report."""
    record.unanswered_s = mono_s
    _await(state, record)


def reported(state: State, record: RouterRecord) -> None:
    """Record a report: the router owes none any more if this is the one on its newest table."""
    if record.report is not None and record.report.seq == record.last_seq:
        record.unanswered_s = None
        state.stale.discard(record.router.name)
    _await(state, record)


def alive(state: State, step: Step, keys: Iterable[PublicKey]) -> None:
    """Record signs of life of peers; a router that owes a report has `STALE_S` from now on."""
    for key in keys:
        record = state.record_of(key)
        if record is None or record.unanswered_s is None or record.report is None:
            continue  # a router that never reported has no script, or cannot reach the broker: nothing to reset
        if record.router.name not in state.stale:
            reset_s = -math.inf if record.reset_s is None else record.reset_s
            state.stale.set(record.router.name, max(step.now.mono_s + STALE_S, reset_s + AGAIN_S))
            _await(state, record)


def next_s(state: State) -> float:
    """Return when the next connection counts as stale."""
    return state.stale.next_s() if state.can_publish else math.inf


def on_deadline(state: State, step: Step) -> None:
    """Reset the connections of the routers that are alive and owe a report."""
    if not state.can_publish:
        return
    for name in state.stale.pop_due(step.now.mono_s):
        record = state.routers[name]
        asked_s = step.now.mono_s if record.unanswered_s is None else record.unanswered_s
        step.say(phrases.NO_ANSWER, router=name, ms=f"{(step.now.mono_s - asked_s) * 1000:.0f}")
        step.do(ResetConnection(state.session.generation, name))
        record.reset_s = step.now.mono_s
        _await(state, record)


def _await(state: State, record: RouterRecord) -> None:
    """Await a sign of life of a router exactly while the next one would set its deadline."""
    is_owing = record.unanswered_s is not None and record.report is not None
    if is_owing and record.router.name not in state.stale:
        state.awaited.add(record.router.key.raw)
    else:
        state.awaited.discard(record.router.key.raw)
