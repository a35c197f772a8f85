"""A table that another client overwrote or cleared: published again, with the back-off of flap damping.

The back-off keeps two writers from answering each other as fast as the broker can.
"""

import math

from wgmqtt import phrases
from wgmqtt.engine.damping import after_release
from wgmqtt.engine.events import TableOverwritten
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.engine.step import Step


def overwritten(state: State, step: Step, event: TableOverwritten) -> None:
    """Replace the table now, or plan it for the end of the pause."""
    record = state.routers.get(event.router)
    if record is None or state.is_dry or not state.can_publish:
        return  # the next read-back finds it
    if record.healing is not None and step.now.mono_s < record.healing.open_s:
        state.overwritten.set(event.router, record.healing.open_s)
        return
    step.say_at("warning" if record.healing is None else "info", phrases.TABLE_OVERWRITTEN, router=event.router)
    _replace(step, record)


def next_s(state: State) -> float:
    """Return when the next table is replaced."""
    return state.overwritten.next_s() if state.can_publish else math.inf


def on_deadline(state: State, step: Step) -> None:
    """Replace the tables whose pause is over."""
    if state.can_publish:
        for name in state.overwritten.pop_due(step.now.mono_s):
            _replace(step, state.routers[name])


def _replace(step: Step, record: RouterRecord) -> None:
    record.healing = after_release(record.healing, step.now.mono_s)
    record.is_owed = True
    step.tables.add(record.router.name)
