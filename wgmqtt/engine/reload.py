"""A new configuration, taken as a difference: records of routers and links that stay are kept, the others dropped."""

from wgmqtt import phrases
from wgmqtt.engine import announcements
from wgmqtt.engine.directory import Directory
from wgmqtt.engine.effects import PublishStatus
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.model import Config, Link, Router


def apply(state: State, step: Step, directory: Directory) -> None:
    """Apply the new configuration; a new session must follow, which reads back what the broker retains."""
    _clear_old_topics(state, step, directory)
    before, state.directory = state.directory, directory
    state.routers = {router.name: _record(state, router) for router in directory.config.routers}
    kept = {name for name, router in directory.by_name.items() if name in before.by_name and _is_same(before, router)}
    _keep_links(state, directory.config, kept)
    for pending in (state.damped, state.spaced, state.stale, state.overwritten, state.suspended):
        pending.keep(kept)
    state.awaited &= {directory.by_name[name].key.raw for name in kept}
    state.queue = {name: None for name in state.queue if name in kept}
    state.in_flight_s = {name: at_s for name, at_s in state.in_flight_s.items() if name in kept}
    state.failed_interfaces &= set(directory.config.hub.interfaces)


def _is_same(before: Directory, router: Router) -> bool:
    """Return whether this was the same router: a replaced one has another key."""
    return before.by_name[router.name].key == router.key


def _record(state: State, router: Router) -> RouterRecord:
    """Return the record of a router that stays, or a new one."""
    record = state.routers.get(router.name)
    if record is None or record.router.key != router.key:
        return RouterRecord(router)
    record.router = router
    if record.interface not in state.directory.config.hub.interfaces:
        record.peer = None
    announcements.announce_again(record, state.directory.config.also_publish)
    return record


def _keep_links(state: State, config: Config, kept: set[str]) -> None:
    def stays(link: Link) -> bool:
        return link in config.links and link.first in kept and link.second in kept

    state.links = {link: record for link, record in state.links.items() if stays(link)}
    state.retries.keep(state.links)


def _clear_old_topics(state: State, step: Step, directory: Directory) -> None:
    """Clear what is retained under a prefix or a hub name that is given up: no later session would do it."""
    old, new = state.directory.topics, directory.topics
    if old == new or state.session.phase != "ready":
        return
    topics = [old.hub_online, old.hub_status]
    if not state.is_frozen:
        names = [name for name in state.routers if old.prefix != new.prefix or name not in directory.by_name]
        topics += [topic for name in names for topic in (old.endpoints(name), old.report(name), old.online(name))]
    step.say(phrases.NAMES_CHANGED, prefix=old.prefix, hub=old.hub, topics=len(topics))
    step.do(*(PublishStatus(state.session.generation, topic, b"") for topic in topics))
