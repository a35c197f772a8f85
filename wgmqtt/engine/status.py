"""The hub's view, made from the state, and when it is published: soon after a change, seldom otherwise. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from wgmqtt import __version__
from wgmqtt.engine.diagnosis import hub_trouble, link_trouble, own_mapping, router_note, router_trouble
from wgmqtt.engine.effects import Effect, PublishStatus
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import LinkView, State
from wgmqtt.model import Link, Router
from wgmqtt.wire.hub import HubStatus, LinkLine, RouterLine, encode_status

SOON_S = 1.0
SELDOM_S = 60.0
LINES_A_SECOND = 100  # a view of many lines is made more seldom, so that it costs next to nothing


def _head(state: State, now: Now) -> HubStatus:
    return HubStatus(
        instance=state.instance,
        version=__version__,
        is_frozen=state.is_frozen,
        at_s=round(now.wall_s, 1),
        managed=tuple(sorted({*state.roster.by_name, *(state.gone if state.is_frozen else ())})),
        trouble=hub_trouble(state),
    )


def _router_lines(state: State, now: Now) -> Iterator[RouterLine]:
    return (_router_line(state, router, now) for router in state.roster.config.routers)


def _link_lines(state: State, now: Now) -> Iterator[LinkLine]:
    return (_link_line(state, link, now) for link in sorted(state.roster.config.links))


def publish(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Publish the view now."""
    topic = state.roster.topics.hub_status
    payload = encode_status(_head(state, now), _router_lines(state, now), _link_lines(state, now))
    effect = PublishStatus(state.session.generation, topic, payload)
    return replace(state, view_s=now.mono_s + _pause_s(state, SELDOM_S)), [effect]


def woken(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Publish the view if it is time."""
    if state.session.phase != "ready" or now.mono_s < state.view_s:
        return state, []
    return publish(state, now)


def changed(state: State, now: Now) -> State:
    """Note that something happened that the view should show soon."""
    soon_s = now.mono_s + _pause_s(state, SOON_S)
    return replace(state, view_s=soon_s) if soon_s < state.view_s else state


def _pause_s(state: State, least_s: float) -> float:
    lines = len(state.roster.config.routers) + len(state.roster.config.links)
    return max(least_s, lines / LINES_A_SECOND)


def _router_line(state: State, router: Router, now: Now) -> RouterLine:
    seen = state.seen.get(router.key)
    return RouterLine(
        name=router.name,
        endpoint=str(seen.sighting.endpoint) if seen and seen.sighting.endpoint else "",
        handshake_s=seen.sighting.handshake_s or None if seen else None,
        heard_s=state.heard_s.get(router.name),
        applied_ms=state.applied_ms.get(router.name),
        trouble=router_trouble(state, router, now),
        note=router_note(state, router),
    )


def _link_line(state: State, link: Link, now: Now) -> LinkLine:
    view = state.links.get(link, LinkView())
    word = "direct" if view.is_direct else "trying" if view.tries else "unknown"
    trouble = "" if view.is_direct else link_trouble(state, link, now)
    return LinkLine(
        first=link.first,
        second=link.second,
        state="down" if word == "trying" and trouble else word,
        since_s=view.direct_since_s,
        proven_ms=view.proven_ms,
        trouble=trouble,
        note=own_mapping(state, link) if view.is_direct else "",
    )
