"""Flap damping: the first change of a peer's endpoint is announced at once, repetitions more and more slowly.

Every announced endpoint is written to the flash of each linked router, so the number of announcements per hour is
bounded, too. The longest pause stays below the time after which NAT boxes forget a mapping (RFC 4787, REQ-5: two
minutes; in practice 30 s and more).
"""

from wgmqtt.engine import links, port_churn
from wgmqtt.engine.announcements import announce
from wgmqtt.engine.state import Damping, RouterRecord, State, Trouble
from wgmqtt.engine.step import Step
from wgmqtt.model import Endpoint

LONGEST_PAUSE_S = 20.0
DECAY_S = 60.0  # after each minute without a change, the back-off is one level lower
WRITES_PER_HOUR = 60
FULL = float(WRITES_PER_HOUR)
HOUR_S = 3600.0


def change(state: State, record: RouterRecord, endpoint: Endpoint, mono_s: float) -> bool:
    """Announce a changed endpoint now and return True, or plan it for the end of the pause and return False."""
    if record.released is None:
        announce(record, endpoint, state.directory.config.also_publish)
        return True
    if record.damping is None or mono_s >= record.damping.open_s:
        _release(state, record, endpoint, mono_s)
        return True
    state.damped.set(record.router.name, record.damping.open_s)
    return False


def next_s(state: State) -> float:
    """Return when the next pause ends."""
    return state.damped.next_s()


def on_deadline(state: State, step: Step) -> None:
    """Announce what waited, and let both ends of all its links send.

    Also for a peer that returned to its announced endpoint: its NAT mapping may be another one.
    """
    for name in state.damped.pop_due(step.now.mono_s):
        record = state.routers[name]
        if record.peer is not None and record.peer.endpoint is not None:
            _release(state, record, record.peer.endpoint, step.now.mono_s)
        step.tables.update(state.directory.around(name))
        step.kicks.update(state.directory.links_of[name])


def _release(state: State, record: RouterRecord, endpoint: Endpoint, mono_s: float) -> None:
    announce(record, endpoint, state.directory.config.also_publish)
    record.damping = after_release(record.damping, mono_s)
    if port_churn.is_churning(record, mono_s):  # no router can keep up with it, and each change is written to flash
        open_s = max(record.damping.open_s, mono_s + LONGEST_PAUSE_S)
        record.damping = Damping(record.damping.level, record.damping.released_s, open_s, record.damping.tokens)
    if not state.can_publish and Trouble.RIVAL not in state.troubles:  # else the active daemon publishes it
        # If the peer returns meanwhile, no table will differ later, but its NAT mapping may be another one.
        for link in state.directory.links_of[record.router.name]:
            links.plan(state, link, mono_s)


def after_release(before: Damping | None, mono_s: float) -> Damping:
    """Return the damping after an announcement: one level slower, and one write of the budget spent."""
    if before is None:
        level, tokens = 0, FULL - 1.0
    else:
        idle_s = mono_s - before.released_s
        level = max(0, before.level - int(idle_s / DECAY_S))
        tokens = min(FULL, before.tokens + idle_s / HOUR_S * WRITES_PER_HOUR) - 1.0
    pause_s = min(LONGEST_PAUSE_S, 2.0**level)
    if tokens < 1.0:
        pause_s = max(pause_s, HOUR_S / WRITES_PER_HOUR)
    return Damping(level + 1, mono_s, mono_s + pause_s, tokens)
