"""What a poll of WireGuard shows, and which of it is a new endpoint."""

from dataclasses import dataclass, replace

from wgmqtt import phrases
from wgmqtt.engine import address_churn, damping, port_churn, stale_sessions, watch_faults
from wgmqtt.engine.effects import MANY
from wgmqtt.engine.events import PeersPolled
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.model import Endpoint, PeerState


@dataclass(frozen=True, slots=True)
class _Move:
    """A router whose peer has a new endpoint."""

    record: RouterRecord
    endpoint: Endpoint


def peers_polled(state: State, step: Step, event: PeersPolled) -> None:
    """Remember the peers' states, and announce the endpoints that changed."""
    watch_faults.interface_polled(state, step, event.interface)
    moves = [move for peer in event.changed if (move := _update(state, step, event.interface, peer))]
    _remove(state, event)
    stale_sessions.alive(state, step, (*event.alive, *(peer.key for peer in event.changed if peer.is_heard)))
    for move in moves:
        _announce(state, step, move, is_logged=len(moves) <= MANY)
    if len(moves) > MANY:
        step.say(phrases.ENDPOINTS_CHANGED, count=len(moves))


def _update(state: State, step: Step, interface: str, peer: PeerState) -> _Move | None:
    """Store a peer's state in its record; return a move if its endpoint is a new one."""
    record = state.record_of(peer.key)
    if record is None:
        return None  # a peer of the hub that is not a configured router: a phone, a laptop
    before = record.peer
    if before is not None and record.interface != interface and before.handshake_s > peer.handshake_s:
        return None  # it is alive on another interface
    if peer.endpoint is not None and not peer.is_heard:
        # Unconfirmed: a person or a script may have set it. The peer is where it was heard last, if it ever was.
        peer = replace(peer, endpoint=before.endpoint if before else None)
    is_new = before is None or before.endpoint != peer.endpoint
    if is_new and peer.endpoint is not None:
        port_churn.note(record, peer.endpoint, step.now.mono_s)
        address_churn.note(record, peer.endpoint, step.now.mono_s)
    if is_new:
        record.since_s = step.now.mono_s
    record.interface, record.peer = interface, peer
    return _Move(record, peer.endpoint) if is_new and peer.endpoint is not None else None


def _remove(state: State, event: PeersPolled) -> None:
    for key in event.removed:
        record = state.record_of(key)
        if record is not None and record.peer is not None and record.interface == event.interface:
            # The router is still configured: only its endpoint is unknown now, and nothing is withdrawn.
            record.peer = PeerState(key, None, 0.0)


def _announce(state: State, step: Step, move: _Move, *, is_logged: bool) -> None:
    """Announce a move, now or later, and log it."""
    record, before = move.record, move.record.released
    is_released = damping.change(state, record, move.endpoint, step.now.mono_s)
    if is_released:
        step.tables.update(state.directory.around(record.router.name))
    if is_logged:
        phrase = phrases.ENDPOINT_CHANGED if is_released else phrases.ENDPOINT_DAMPED
        step.say(phrase, router=record.router.name, endpoint=move.endpoint, was=before or "unknown")
