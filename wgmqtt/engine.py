"""`step(state, event, now) -> (state, effects)`: hands each event to the file that decides on it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from wgmqtt import claim, outbox, readback, session, verdict
from wgmqtt.effects import Effect, WakeAt, say
from wgmqtt.events import (
    Acked,
    BrokerDown,
    BrokerUp,
    Event,
    Freezing,
    HubHeard,
    InterfaceFailed,
    Now,
    PeersSeen,
    ReadBack,
    Reconfigured,
    Reported,
    Woken,
)
from wgmqtt.model import Config, PublicKey, Sighting
from wgmqtt.roster import make_roster
from wgmqtt.state import Seen, State

IDLE_WAKE_S = 60.0


def start(config: Config, instance: str, *, is_dry: bool = False) -> State:
    """Return the state before anything has happened; the first Woken opens the connection to the broker."""
    return State(make_roster(config), instance, is_dry=is_dry)


def step(state: State, event: Event, now: Now) -> tuple[State, list[Effect]]:
    """Return what is known after `event`, and what is to be done. The last effect is always a WakeAt."""
    generation = getattr(event, "generation", state.session.generation)
    if generation != state.session.generation or _is_late(state, event):
        return state, [_wake(state, now)]  # of a connection that was given up: it changes nothing
    state, effects = DECIDERS[type(event)](state, event, now)
    return state, [*effects, _wake(state, now)]


def _is_late(state: State, event: Event) -> bool:
    """Return whether a broker's event comes after its own connection was already given up."""
    return hasattr(event, "generation") and state.session.phase == "closed"


def _wake(state: State, now: Now) -> WakeAt:
    times = [now.mono_s + IDLE_WAKE_S, state.session.deadline_s]
    oldest = outbox.oldest_sent_s(state)
    if oldest is not None:
        times.append(oldest + outbox.ACK_TIMEOUT_S)
    return WakeAt(min(times))


def _peers_seen(state: State, event: PeersSeen, now: Now) -> tuple[State, list[Effect]]:
    seen = dict(state.seen)
    effects: list[Effect] = []
    names: set[str] = set()
    trouble = f"interface {event.interface}"
    if trouble in state.troubles:
        effects.append(say("info", "interface is back", interface=event.interface))
    for sighting in event.changed:
        router = state.roster.by_key.get(sighting.key)
        if router is None:
            continue  # a peer of the hub that is nobody's router: a phone, a laptop
        old = seen.get(sighting.key)
        if old is not None and old.interface != event.interface and old.sighting.handshake_s > sighting.handshake_s:
            continue  # it is alive on another interface
        moved = old is None or old.sighting.endpoint != sighting.endpoint
        seen[sighting.key] = Seen(event.interface, sighting, now.mono_s if moved or old is None else old.since_s)
        if moved and sighting.endpoint is not None:
            was = old.sighting.endpoint if old else None
            effects.append(
                say("info", "endpoint seen", router=router.name, endpoint=sighting.endpoint, was=was or "unknown")
            )
            names.update(state.roster.around(router.name))
    _forget(seen, event)
    state = replace(state, seen=seen, troubles=state.troubles - {trouble})
    state, published = outbox.settle(state, names, now)
    return state, effects + published


def _forget(seen: dict[PublicKey, Seen], event: PeersSeen) -> None:
    for key in event.removed:
        old = seen.get(key)
        if old is not None and old.interface == event.interface:
            # The router is still configured: only its endpoint is not known any more, and nothing is taken back.
            seen[key] = replace(old, sighting=Sighting(key, None, 0.0))


def _interface_failed(state: State, event: InterfaceFailed, _now: Now) -> tuple[State, list[Effect]]:
    trouble = f"interface {event.interface}"
    if trouble in state.troubles:
        return state, []
    said = say("warning", "interface cannot be read", interface=event.interface, reason=event.reason)
    return replace(state, troubles=state.troubles | {trouble}), [said]


def _reconfigured(state: State, event: Reconfigured, now: Now) -> tuple[State, list[Effect]]:
    roster = make_roster(event.config)
    outboxes = {name: box for name, box in state.outboxes.items() if name in roster.by_name}
    # What the broker retains for new routers is not known: a new session reads everything back.
    return session.renew(replace(state, roster=roster, outboxes=outboxes), now)


def _freezing(state: State, event: Freezing, now: Now) -> tuple[State, list[Effect]]:
    if event.is_frozen == state.is_frozen:
        return state, []
    state = replace(state, is_frozen=event.is_frozen)
    said = say("info", "publishing is frozen" if event.is_frozen else "publishing goes on")
    if state.session.phase != "ready":
        return state, [said]
    if event.is_frozen:
        return state, [said, readback.status(state)]
    # On with a new session: it reads back what was left undone meanwhile.
    state, effects = session.renew(state, now)
    return state, [said, *effects]


def _woken(state: State, _event: Woken, now: Now) -> tuple[State, list[Effect]]:
    return session.woken(state, now)


DECIDERS: Mapping[type[Event], Callable[[State, Any, Now], tuple[State, list[Effect]]]] = {
    PeersSeen: _peers_seen,
    InterfaceFailed: _interface_failed,
    BrokerUp: session.up,
    BrokerDown: session.down,
    ReadBack: claim.read_back,
    Acked: outbox.acked,
    Reported: verdict.reported,
    HubHeard: claim.heard,
    Freezing: _freezing,
    Woken: _woken,
    Reconfigured: _reconfigured,
}
