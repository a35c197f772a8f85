"""The hub's status, made from what is known, and when it is published: soon after a change, rarely otherwise."""

import math
from collections.abc import Iterator

from wgmqtt import __version__
from wgmqtt.engine.diagnosis import hub_trouble, link_note, link_trouble, router_note, router_trouble
from wgmqtt.engine.effects import PublishStatus
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import LinkRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.logline import Say
from wgmqtt.model import Link, Router
from wgmqtt.wire.hub import HubStatus, LinkLine, RouterLine, encode_status

SOON_S = 1.0
RARELY_S = 60.0
LINES_PER_SECOND = 100  # a status of many lines is published less often, so that it costs next to nothing
_NO_RECORD = LinkRecord()


def publish(state: State, step: Step) -> None:
    """Publish the status now."""
    payload = encode_status(_head(state, step.now), _router_lines(state, step.now), _link_lines(state, step.now))
    step.do(PublishStatus(state.session.generation, state.directory.topics.hub_status, payload))
    state.status_s = step.now.mono_s + _pause_s(state, RARELY_S)


def next_s(state: State) -> float:
    """Return when the status is published next."""
    return state.status_s if state.session.phase == "ready" else math.inf


def on_deadline(state: State, step: Step) -> None:
    """Publish the status if it is due."""
    if state.session.phase == "ready" and step.now.mono_s >= state.status_s:
        publish(state, step)


def plan(state: State, step: Step) -> None:
    """Publish the status soon if the step has an important log line: what is worth a line changes the status, too."""
    if any(isinstance(effect, Say) and effect.level != "debug" for effect in step.effects):
        state.status_s = min(state.status_s, step.now.mono_s + _pause_s(state, SOON_S))


def _pause_s(state: State, least_s: float) -> float:
    lines = len(state.directory.config.routers) + len(state.directory.config.links)
    return max(least_s, lines / LINES_PER_SECOND)


def _head(state: State, now: Now) -> HubStatus:
    return HubStatus(
        instance=state.instance,
        version=__version__,
        is_frozen=state.is_frozen,
        at_s=round(now.wall_s, 1),
        managed=tuple(sorted({*state.routers, *(state.gone if state.is_frozen else ())})),
        trouble=hub_trouble(state),
        hints=_hints(state),
    )


def _hints(state: State) -> str:
    if state.directory.config.hints == "off":
        return "off"
    return {True: "active", False: "unavailable", None: ""}[state.are_hints_active]


def _router_lines(state: State, now: Now) -> Iterator[RouterLine]:
    return (_router_line(state, router, now) for router in state.directory.config.routers)


def _link_lines(state: State, now: Now) -> Iterator[LinkLine]:
    return (_link_line(state, link, now) for link in sorted(state.directory.config.links))


def _router_line(state: State, router: Router, now: Now) -> RouterLine:
    record = state.routers[router.name]
    peer = record.peer
    return RouterLine(
        name=router.name,
        endpoint=str(peer.endpoint) if peer and peer.endpoint else "",
        handshake_s=peer.handshake_s or None if peer else None,
        heard_s=record.reported_s,
        applied_ms=record.applied_ms,
        trouble=router_trouble(state, record, now),
        note=router_note(state, record),
    )


def _link_line(state: State, link: Link, now: Now) -> LinkLine:
    record = state.links.get(link, _NO_RECORD)
    word = "direct" if record.is_direct else "trying" if record.attempts else "unknown"
    trouble = "" if record.is_direct else link_trouble(state, link, now)
    return LinkLine(
        first=link.first,
        second=link.second,
        state="down" if word == "trying" and trouble else word,
        since_s=record.direct_since_s,
        proven_ms=record.proven_ms,
        trouble=trouble,
        note=link_note(state, link) if record.is_direct else "",
    )
