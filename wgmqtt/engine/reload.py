"""A new configuration, taken as a difference: what still holds is kept, what is gone is forgotten. Pure."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from wgmqtt import phrases
from wgmqtt.engine import session
from wgmqtt.engine.directory import Roster, make_roster
from wgmqtt.engine.effects import Effect, PublishStatus
from wgmqtt.engine.events import Now, Reconfigured
from wgmqtt.engine.state import State, unreadable
from wgmqtt.logline import say


def reconfigured(state: State, event: Reconfigured, now: Now) -> tuple[State, list[Effect]]:
    """Go on with the new configuration in a new session: what the broker retains for new routers is not known yet."""
    roster = make_roster(event.config)
    left = _leave_topics(state, roster)
    state, effects = session.renew(_pruned(state, roster), now)
    return state, [*left, *effects]


def _pruned(state: State, roster: Roster) -> State:
    """Forget routers that are gone or have another key, their links, and interfaces that are not watched any more."""
    old = state.roster.by_name
    names = {name for name, router in roster.by_name.items() if name in old and old[name].key == router.key}
    keys = {roster.by_name[name].key for name in names}
    links = {link for link in roster.config.links if link.first in names and link.second in names}
    watched = roster.config.hub.interfaces
    gone = {f"interface {name}" for name in state.roster.config.hub.interfaces if name not in watched}
    gone |= {unreadable(name) for name in old if name not in names}
    # Whatever is known by router, key or link, now and in a later version.
    left: dict[str, Any] = {
        each.name: _only(known, {*names, *keys, *links})
        for each in fields(State)
        if isinstance(known := getattr(state, each.name), Mapping)
    }
    left["seen"] = {key: seen for key, seen in left["seen"].items() if seen.interface in watched}
    return replace(state, **left, roster=roster, troubles=state.troubles - gone)


def _only(known: Mapping[object, object], kept: set[object]) -> dict[object, object]:
    return {key: value for key, value in known.items() if key in kept}


def _leave_topics(state: State, roster: Roster) -> list[Effect]:
    """Empty what stands under a prefix or a hub's name that is given up; nobody would do it later."""
    old, new = state.roster.topics, roster.topics
    if old == new or state.session.phase != "ready":
        return []
    topics = [old.hub_online, old.hub_status]
    if not state.is_frozen:
        names = [name for name in state.roster.by_name if old.prefix != new.prefix or name not in roster.by_name]
        topics += [topic for name in names for topic in (old.endpoints(name), old.report(name), old.online(name))]
    said = say(
        phrases.NAMES_CHANGED,
        prefix=old.prefix,
        hub=old.hub,
        topics=len(topics),
    )
    return [said, *(PublishStatus(state.session.generation, topic, b"") for topic in topics)]
