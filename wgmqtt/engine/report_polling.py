"""Now and then each router is asked for a fresh report, one after the other, by a table with a new `seq`. Pure."""

from dataclasses import replace

from wgmqtt.engine import outbox
from wgmqtt.engine.effects import Effect
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import Outbox, State

ROUND_S = 6 * 3600.0  # how often each router is asked


def woken(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Ask the next router if it is due; the round is spread evenly over everybody."""
    names = list(state.roster.by_name)
    pause_s = ROUND_S / max(1, len(names))
    if state.refresh_s is None:
        return replace(state, refresh_s=now.mono_s + pause_s), []
    if now.mono_s < state.refresh_s or state.session.phase != "ready" or state.is_frozen or not names:
        return state, []
    name = names[state.refresh_turn % len(names)]
    state = replace(state, refresh_s=now.mono_s + pause_s, refresh_turn=state.refresh_turn + 1)
    box = state.outboxes.get(name, Outbox())
    if box.retained is None:
        return state, []  # it was never told anything: there is nothing to ask about
    state = replace(state, outboxes={**state.outboxes, name: replace(box, owed=True)})
    return outbox.settle(state, (name,), now)
