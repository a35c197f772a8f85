"""`step(state, event, now) -> (state, effects)`: hands each event to the file that decides on it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from wgmqtt import phrases
from wgmqtt.engine import (
    endpoints,
    links,
    outbox,
    ownership,
    rejected_packets,
    reload,
    report_polling,
    reports,
    session,
    stale_sessions,
    status,
)
from wgmqtt.engine.directory import make_roster
from wgmqtt.engine.effects import Effect, WakeAt
from wgmqtt.engine.events import (
    Acked,
    BrokerDown,
    BrokerUp,
    Event,
    Freezing,
    HintsFailed,
    HintsWork,
    HubHeard,
    InterfaceFailed,
    Now,
    PacketsRefused,
    PeersSeen,
    ReadBack,
    Reconfigured,
    Reported,
    Woken,
)
from wgmqtt.engine.state import State
from wgmqtt.logline import Say, say
from wgmqtt.model import Config

IDLE_WAKE_S = 60.0


def start(config: Config, instance: str, *, script: str = "", is_dry: bool = False) -> State:
    """Return the state before anything has happened; the first Woken opens the connection to the broker.

    `script` is the version and hash that the reports of routers with the present script carry.
    """
    return State(make_roster(config), instance, script, is_dry=is_dry)


def step(state: State, event: Event, now: Now) -> tuple[State, list[Effect]]:
    """Return what is known after `event`, and what is to be done. The last effect is always a WakeAt."""
    generation = getattr(event, "generation", state.session.generation)
    if generation != state.session.generation or _is_late(state, event):
        return state, [_wake(state, now)]  # of a connection that was given up: it changes nothing
    state, effects = DECIDERS[type(event)](state, event, now)
    if any(isinstance(effect, Say) and effect.level != "debug" for effect in effects):
        state = status.changed(state, now)  # what is worth a line in the log is worth a look
    return state, [*effects, _wake(state, now)]


def _is_late(state: State, event: Event) -> bool:
    """Return whether a broker's event comes after its own connection was already given up."""
    return hasattr(event, "generation") and state.session.phase == "closed"


def _wake(state: State, now: Now) -> WakeAt:
    times = [now.mono_s + IDLE_WAKE_S, state.session.deadline_s, state.session.again_s, *state.paused_s.values()]
    if state.session.phase == "ready":
        times.append(state.view_s)
    if state.session.phase == "ready" and not state.is_frozen:
        times += [*state.spaced_s.values(), *state.late_s.values(), state.retry_s]
        times += [] if state.refresh_s is None else [state.refresh_s]
    oldest = outbox.oldest_sent_s(state)
    if oldest is not None:
        times.append(oldest + outbox.ACK_TIMEOUT_S)
    return WakeAt(min(times))


def _hints_work(state: State, event: HintsWork, _now: Now) -> tuple[State, list[Effect]]:
    said = say(phrases.HINTS_ACTIVE, table=event.table, group=event.group, owned=str(event.is_owned).lower())
    return replace(state, troubles=state.troubles - {"hints"}), [said]


def _hints_failed(state: State, event: HintsFailed, _now: Now) -> tuple[State, list[Effect]]:
    if "hints" in state.troubles:
        return state, []
    said = say(phrases.HINTS_UNAVAILABLE, reason=event.reason)
    return replace(state, troubles=state.troubles | {"hints"}), [said]


def _freezing(state: State, event: Freezing, now: Now) -> tuple[State, list[Effect]]:
    if event.is_frozen == state.is_frozen:
        return state, []
    state = replace(state, is_frozen=event.is_frozen)
    said = say(phrases.FROZEN if event.is_frozen else phrases.RESUMED)
    if state.session.phase != "ready":
        return state, [said]
    if event.is_frozen:
        state, shown = status.publish(state, now)
        return state, [said, *shown]
    # On with a new session: it reads back what was left undone meanwhile.
    state, effects = session.renew(state, now)
    return state, [said, *effects]


def _woken(state: State, _event: Woken, now: Now) -> tuple[State, list[Effect]]:
    state, told = endpoints.woken(state, now)
    state, spaced = outbox.woken(state, now)
    state, again = outbox.settle(state, (), now, links.due(state, now.mono_s))
    state = links.planned(state, now.mono_s)
    state, broken = stale_sessions.woken(state, now)
    state, asked = report_polling.woken(state, now)
    state, shown = status.woken(state, now)
    state, effects = session.woken(state, now)
    return state, [*told, *spaced, *again, *broken, *asked, *shown, *effects]


DECIDERS: Mapping[type[Event], Callable[[State, Any, Now], tuple[State, list[Effect]]]] = {
    PeersSeen: endpoints.peers_seen,
    InterfaceFailed: endpoints.interface_failed,
    PacketsRefused: rejected_packets.packets_refused,
    HintsWork: _hints_work,
    HintsFailed: _hints_failed,
    BrokerUp: session.up,
    BrokerDown: session.down,
    ReadBack: ownership.read_back,
    Acked: outbox.acked,
    Reported: reports.reported,
    HubHeard: ownership.heard,
    Freezing: _freezing,
    Woken: _woken,
    Reconfigured: reload.reconfigured,
}
