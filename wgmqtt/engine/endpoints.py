"""What WireGuard shows, and what of it is news. Pure."""

from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine import damping, outbox, port_churn, stale_sessions
from wgmqtt.engine.effects import MANY, Effect
from wgmqtt.engine.events import InterfaceFailed, Now, PeersSeen
from wgmqtt.engine.state import Seen, State
from wgmqtt.logline import say
from wgmqtt.model import PublicKey, Sighting


def peers_seen(state: State, event: PeersSeen, now: Now) -> tuple[State, list[Effect]]:
    """Keep what is seen, and tell those whom a change concerns."""
    effects: list[Effect] = []
    trouble = f"interface {event.interface}"
    if trouble in state.troubles:
        effects.append(say(phrases.INTERFACE_READABLE, interface=event.interface))
    seen = dict(state.seen)
    moved = [sighting for sighting in event.changed if _is_moved(state, seen, event.interface, sighting, now)]
    _forget(seen, event)
    before = state.seen
    state = replace(state, seen=seen, troubles=state.troubles - {trouble})
    state = stale_sessions.alive(state, (*event.alive, *(sighting.key for sighting in event.changed)), now)
    state = port_churn.noticed(state, before, moved, now.mono_s) if moved else state
    state, names, said = _noticed(state, moved, now)
    state, published = outbox.settle(state, names, now)
    return state, effects + said + published


def _noticed(state: State, moved: list[Sighting], now: Now) -> tuple[State, set[str], list[Effect]]:
    """Return whose tables may differ now, and a line for each that moved, or one for all of very many."""
    names, said, known = set[str](), list[Effect](), state.dampers
    state = damping.first_told(state, moved)
    for sighting in moved:
        assert sighting.endpoint is not None  # noqa: S101 - that is what makes it moved
        name, is_told = state.roster.by_key[sighting.key].name, True
        if sighting.key in known:
            state, is_told = damping.notice(state, sighting.key, sighting.endpoint, now.mono_s)
        if is_told:
            names.update(state.roster.around(name))
        if len(moved) <= MANY:
            was = known[sighting.key].told if sighting.key in known else "unknown"
            phrase = phrases.ENDPOINT_CHANGED if is_told else phrases.ENDPOINT_DAMPED
            said.append(say(phrase, router=name, endpoint=sighting.endpoint, was=was))
    return state, names, said or ([say(phrases.ENDPOINTS_CHANGED, count=len(moved))] if moved else [])


def interface_failed(state: State, event: InterfaceFailed, _now: Now) -> tuple[State, list[Effect]]:
    """Say once that an interface cannot be read; what was seen on it stays known."""
    trouble = f"interface {event.interface}"
    if trouble in state.troubles:
        return state, []
    said = say(phrases.INTERFACE_UNREADABLE, interface=event.interface, reason=event.reason)
    return replace(state, troubles=state.troubles | {trouble}), [said]


def woken(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Tell what was damped and may be told now."""
    state, keys = damping.release_due(state, now.mono_s)
    names = {state.roster.by_key[key].name for key in keys if key in state.roster.by_key}
    if not names:
        return state, []
    links = frozenset(link for name in names for link in state.roster.links_of[name])
    return outbox.settle(state, {near for name in names for near in state.roster.around(name)}, now, links)


def _is_moved(state: State, seen: dict[PublicKey, Seen], interface: str, sighting: Sighting, now: Now) -> bool:
    """Put a sighting into `seen` if it counts; return whether its endpoint is news."""
    if sighting.key not in state.roster.by_key:
        return False  # a peer of the hub that is nobody's router: a phone, a laptop
    old = seen.get(sighting.key)
    if old is not None and old.interface != interface and old.sighting.handshake_s > sighting.handshake_s:
        return False  # it is alive on another interface
    is_new = old is None or old.sighting.endpoint != sighting.endpoint
    seen[sighting.key] = Seen(interface, sighting, now.mono_s if is_new or old is None else old.since_s)
    return is_new and sighting.endpoint is not None


def _forget(seen: dict[PublicKey, Seen], event: PeersSeen) -> None:
    for key in event.removed:
        old = seen.get(key)
        if old is not None and old.interface == event.interface:
            # The router is still configured: only its endpoint is not known any more, and nothing is taken back.
            seen[key] = replace(old, sighting=Sighting(key, None, 0.0))
