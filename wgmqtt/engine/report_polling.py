"""Each router is asked for a fresh report now and then, one after the other, by a table with a new `seq`."""

import math

from wgmqtt.engine.state import State
from wgmqtt.engine.step import Step

ROUND_S = 6 * 3600.0  # how often each router is asked


def next_s(state: State) -> float:
    """Return when the next router is asked."""
    return math.inf if state.report_poll_s is None or not state.can_publish else state.report_poll_s


def on_deadline(state: State, step: Step) -> None:
    """Ask the next router if it is due; the round is spread evenly over all of them."""
    routers = state.directory.config.routers
    pause_s = ROUND_S / max(1, len(routers))
    if state.report_poll_s is None:
        state.report_poll_s = step.now.mono_s + pause_s
        return
    if step.now.mono_s < state.report_poll_s or not state.can_publish or not routers:
        return
    record = state.routers[routers[state.report_poll_turn % len(routers)].name]
    state.report_poll_s = step.now.mono_s + pause_s
    state.report_poll_turn += 1
    if record.retained is not None:  # else nothing was ever published to it, and there is nothing to ask about
        record.is_owed = True
        step.tables.add(record.router.name)
