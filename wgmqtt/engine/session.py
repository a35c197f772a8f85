"""The connection to the broker: every change of its phase, in one table.

    closed    waiting for the time of the next connection
    opening   connecting
    reading   reading back what the broker retains
    asking    another daemon claims this hub: waiting for a sign that it is alive
    ready     this daemon is the active one, and publishes

An event of the broker, a deadline or a new configuration becomes a `Signal`. `TRANSITIONS` gives the next phase and the
action; a signal that has no entry for the current phase changes nothing.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wgmqtt import phrases
from wgmqtt.engine import links, ownership, status, takeover
from wgmqtt.engine.effects import CloseBroker, OpenBroker
from wgmqtt.engine.events import BrokerDown, BrokerEvent, Cause, FreezeChecked, HubMessage, ReadBack
from wgmqtt.engine.outbox import ACK_TIMEOUT_S, unacknowledged_since_s
from wgmqtt.engine.state import Phase, State, Trouble
from wgmqtt.engine.step import Step
from wgmqtt.logline import Level, Phrase

Kind = Literal["due", "unacked", "reread", "renew", "up", "down", "free", "claimed", "rival", "overwritten"]
"""What a signal says.

    due          the deadline of the phase has passed
    unacked      the broker acknowledges no table
    reread       another daemon may have published meanwhile
    renew        a new configuration, or publishing goes on after a freeze
    up, down     the broker accepted the connection; it failed or ended
    free         read back: no other daemon claims this hub
    claimed      read back: another daemon claims this hub
    rival        another daemon is alive, and this one must stand by
    overwritten  another daemon's message replaced the one that this daemon is active
"""

Action = Literal[
    "open", "read", "read_again", "ask", "serve", "confirm", "restate", "fail", "give_up", "stand_by", "reconnect"
]

TRANSITIONS: Mapping[tuple[Phase, Kind], tuple[Phase, Action]] = {
    ("closed", "due"): ("opening", "open"),
    ("closed", "renew"): ("closed", "reconnect"),
    ("opening", "up"): ("reading", "read"),
    ("opening", "due"): ("closed", "give_up"),
    ("opening", "down"): ("closed", "fail"),
    ("opening", "renew"): ("closed", "reconnect"),
    ("reading", "free"): ("ready", "serve"),
    ("reading", "claimed"): ("asking", "ask"),
    ("reading", "due"): ("closed", "give_up"),
    ("reading", "down"): ("closed", "fail"),
    ("reading", "renew"): ("closed", "reconnect"),
    ("asking", "due"): ("reading", "read_again"),
    ("asking", "rival"): ("closed", "stand_by"),
    ("asking", "down"): ("closed", "fail"),
    ("asking", "renew"): ("closed", "reconnect"),
    ("ready", "due"): ("ready", "confirm"),
    ("ready", "overwritten"): ("ready", "restate"),
    ("ready", "rival"): ("closed", "stand_by"),
    ("ready", "unacked"): ("closed", "give_up"),
    ("ready", "down"): ("closed", "fail"),
    ("ready", "reread"): ("closed", "reconnect"),
    ("ready", "renew"): ("closed", "reconnect"),
}

ANSWER_TIMEOUT_S = 15.0
FIRST_RETRY_S = 0.25
LAST_RETRY_S = 8.0
STABLE_S = 10.0  # a broker that ends each connection sooner (after a publish that it forbids) counts as failing
ASK_S = 3.0
STAND_BY_S = 30.0
TROUBLE_OF: Mapping[Cause, Trouble] = {"login": Trouble.LOGIN, "files": Trouble.FILES}


@dataclass(frozen=True, slots=True)
class Signal:
    """What happened to the session. Only some kinds have more than their name."""

    kind: Kind
    reason: str = ""
    """Of `down`: text for a person."""
    cause: Cause = "connection"
    instance: str = ""
    """Of `claimed` and `rival`: the other daemon."""
    retained: Mapping[str, bytes] = field(default_factory=dict)
    """Of `free`: what the broker retains."""


def advance(state: State, step: Step, signal: Signal) -> None:
    """Handle a signal: change the phase and act as the table says, or ignore it."""
    before = state.session.phase
    transition = TRANSITIONS.get((before, signal.kind))
    if transition is None:
        return
    state.session.phase, action = transition
    _ACTIONS[action](state, step, signal, before)


def is_current(state: State, event: BrokerEvent) -> bool:
    """Return whether an event belongs to the connection that is in use."""
    return event.generation == state.session.generation and state.session.phase != "closed"


def broker_up(state: State, step: Step) -> None:
    """Handle the broker's acceptance of the connection."""
    advance(state, step, Signal("up"))


def broker_down(state: State, step: Step, event: BrokerDown) -> None:
    """Handle the end of the connection."""
    advance(state, step, Signal("down", event.reason, event.cause))


def read_back(state: State, step: Step, event: ReadBack) -> None:
    """Handle the read-back: serve if no other daemon claims the hub."""
    rival = ownership.rival_in(state, event.retained)
    signal = Signal("claimed", instance=rival) if rival else Signal("free", retained=event.retained)
    advance(state, step, signal)


def hub_message(state: State, step: Step, event: HubMessage) -> None:
    """Handle a message on the hub's own topics."""
    verdict = ownership.judge(state, event)
    match verdict.meaning:
        case "question" if state.session.phase == "ready":
            step.do(ownership.online(state, answers=verdict.instance))
        case "rival" | "overwritten":
            advance(state, step, Signal(verdict.meaning, instance=verdict.instance))


def freeze_checked(state: State, step: Step, event: FreezeChecked) -> None:
    """Stop publishing, or go on with a new session, which finds by its read-back what was not published meanwhile."""
    if event.is_frozen == state.is_frozen:
        return
    state.is_frozen = event.is_frozen
    step.say(phrases.FROZEN if event.is_frozen else phrases.RESUMED)
    if state.session.phase != "ready":
        return
    if event.is_frozen:
        status.publish(state, step)
    else:
        advance(state, step, Signal("renew"))


def next_s(state: State) -> float:
    """Return when the session has to act next."""
    session = state.session
    return min(session.deadline_s, session.reread_s, unacknowledged_since_s(state) + ACK_TIMEOUT_S)


def on_deadline(state: State, step: Step) -> None:
    """Act on the deadline that has passed."""
    session, mono_s = state.session, step.now.mono_s
    if mono_s >= unacknowledged_since_s(state) + ACK_TIMEOUT_S:
        advance(state, step, Signal("unacked"))
    elif mono_s >= session.reread_s:
        advance(state, step, Signal("reread"))
    elif mono_s >= session.deadline_s:
        advance(state, step, Signal("due"))


def retry_delay_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row: doubling up to a limit."""
    return min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures, 10))


# The actions: `state.session.phase` is already the new phase, `before` is the previous one.


def _open(state: State, step: Step, _signal: Signal, _before: Phase) -> None:
    state.session.generation += 1
    state.session.deadline_s = step.now.mono_s + ANSWER_TIMEOUT_S
    step.do(OpenBroker(state.session.generation))


def _read(state: State, step: Step, _signal: Signal, _before: Phase) -> None:
    """Read back what the broker retains, before anything is published over it."""
    state.session.deadline_s = step.now.mono_s + ANSWER_TIMEOUT_S
    step.do(takeover.read_retained(state))


def _read_again(state: State, step: Step, signal: Signal, before: Phase) -> None:
    """Go on after a question without an answer: what was read before it may be out of date."""
    step.say(phrases.TAKING_OVER)
    _read(state, step, signal, before)


def _ask(state: State, step: Step, signal: Signal, _before: Phase) -> None:
    state.session.deadline_s = step.now.mono_s + ASK_S
    state.session.asked = signal.instance
    step.do(ownership.question(state))


def _serve(state: State, step: Step, signal: Signal, _before: Phase) -> None:
    state.session.deadline_s = step.now.mono_s + STABLE_S if state.session.failures else math.inf
    state.session.asked = ""
    state.troubles.discard(Trouble.RIVAL)
    takeover.serve(state, step, signal.retained)


def _confirm(state: State, _step: Step, _signal: Signal, _before: Phase) -> None:
    """Count the connection as stable: whatever was wrong with it is over."""
    state.session.deadline_s = math.inf
    state.session.failures = 0
    state.troubles.difference_update(TROUBLE_OF.values())


def _restate(state: State, step: Step, _signal: Signal, _before: Phase) -> None:
    """Publish again that this daemon is active; read back later, when the other daemon has stopped publishing."""
    step.do(ownership.online(state))
    if math.isinf(state.session.reread_s):
        status.publish(state, step)
        state.session.reread_s = step.now.mono_s + ASK_S


def _fail(state: State, step: Step, signal: Signal, before: Phase) -> None:
    """Plan the next connection. Whether the broker has what was in flight is unknown until the next read-back."""
    session = state.session
    delay_s, is_first = retry_delay_s(session.failures), session.failures == 0
    trouble = TROUBLE_OF.get(signal.cause)
    is_new = trouble is not None and trouble not in state.troubles
    if trouble is not None:
        state.troubles.add(trouble)
    # A trouble is warned of once, when it begins; later failures are the same trouble, retried.
    level: Level = "warning" if is_first or is_new else "info" if before == "ready" else "debug"
    step.say_at(level, _phrase(before, signal.cause), reason=signal.reason, retry_s=f"{delay_s:.2f}")
    session.failures += 1
    _wait(state, step, delay_s)


def _phrase(before: Phase, cause: Cause) -> Phrase:
    if cause == "login":
        return phrases.LOGIN_REJECTED
    if cause == "files":
        return phrases.CREDENTIALS_UNREADABLE
    return phrases.BROKER_UNREACHABLE if before == "opening" else phrases.BROKER_LOST


def _give_up(state: State, step: Step, _signal: Signal, before: Phase) -> None:
    """Close a connection whose broker does not answer."""
    step.do(CloseBroker(state.session.generation))
    _fail(state, step, Signal("down", f"no answer while {before}"), before)


def _stand_by(state: State, step: Step, signal: Signal, before: Phase) -> None:
    """Leave the hub to the other daemon, and check later whether it is still there."""
    if before == "ready":
        step.do(ownership.offline(state))  # tells the other daemon that there were two
    step.do(CloseBroker(state.session.generation))
    if Trouble.RIVAL not in state.troubles:
        state.troubles.add(Trouble.RIVAL)
        step.say(phrases.STANDING_BY, hub=state.directory.config.hub.name, instance=signal.instance)
    _wait(state, step, STAND_BY_S)


def _reconnect(state: State, step: Step, _signal: Signal, before: Phase) -> None:
    """Start a new session at once: everything is read back and compared again."""
    if before != "closed":
        step.do(CloseBroker(state.session.generation))
    _wait(state, step, 0.0)


def _wait(state: State, step: Step, delay_s: float) -> None:
    """Forget the connection, and connect again after this delay."""
    links.connection_lost(state, step.now.mono_s)
    state.session.deadline_s = step.now.mono_s + delay_s
    state.session.asked = ""
    state.session.reread_s = math.inf
    state.in_flight_s.clear()


_ACTIONS: Mapping[Action, Callable[[State, Step, Signal, Phase], None]] = {
    "open": _open,
    "read": _read,
    "read_again": _read_again,
    "ask": _ask,
    "serve": _serve,
    "confirm": _confirm,
    "restate": _restate,
    "fail": _fail,
    "give_up": _give_up,
    "stand_by": _stand_by,
    "reconnect": _reconnect,
}
