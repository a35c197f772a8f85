"""The beginning of a ready session: what the broker retains is compared with what it should, the difference published.

This file only reads and compares; `wgmqtt.engine.session` decides when.
"""

from collections.abc import Mapping

from wgmqtt import phrases
from wgmqtt.engine import outbox, ownership, status
from wgmqtt.engine.effects import PublishStatus, ReadRetained
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import State
from wgmqtt.engine.step import Step
from wgmqtt.errors import Problem, WgmqttError, WireError
from wgmqtt.wire.hub import decode_status
from wgmqtt.wire.table import Table, decode_table

MAX_AHEAD_MS = 100 * 365 * 86_400_000


def read_retained(state: State) -> ReadRetained:
    """Return the request for everything that the broker retains for this hub."""
    topics = state.directory.topics
    return ReadRetained(
        state.session.generation,
        topics=(topics.hub_status,),
        tables=tuple((topics.endpoints(name), name) for name in state.routers),
        hub=(topics.hub_online, topics.hub_who),
        reports=tuple((topics.report(name), name) for name in state.routers),
        fence=topics.hub_fence,
    )


def serve(state: State, step: Step, retained: Mapping[str, bytes]) -> None:
    """Say that this daemon is active, clear the topics of routers that are gone, and publish what differs."""
    tables = _decode_tables(state, step, retained)
    state.last_seq = max([state.last_seq, *(table.seq for table in tables.values())])
    outbox.take_read_back(state, tables, state.routers)
    step.say(phrases.BROKER_READY, retained=len(tables), routers=len(state.routers))
    step.do(ownership.online(state))
    state.gone = _find_gone(state, retained)
    if not state.is_frozen:
        _clear_gone(state, step)
    status.publish(state, step)
    step.tables.update(state.routers)


def _decode_tables(state: State, step: Step, retained: Mapping[str, bytes]) -> dict[str, Table]:
    tables = dict[str, Table]()
    for name in state.routers:
        topic = state.directory.topics.endpoints(name)
        payload = retained.get(topic, b"")
        try:
            if payload:
                tables[name] = _decode_table(payload, topic, step.now)
        except WgmqttError as error:
            step.say(phrases.RETAINED_MALFORMED, router=name, reason=error)
    return tables


def _decode_table(payload: bytes, topic: str, now: Now) -> Table:
    """Return a retained table whose `seq` this daemon may have published.

    A forged one near the largest possible `seq` would leave no room for the next. The limit is far enough that a hub
    whose clock starts in 1970 accepts its own tables.
    """
    table = decode_table(payload, topic)
    most = int(now.wall_s * 1000) + MAX_AHEAD_MS
    if table.seq > most:
        raise WireError(Problem(topic, "seq is far ahead of the clock", f"at most {most}", str(table.seq)))
    return table


def _find_gone(state: State, retained: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the routers that the last status names as managed and that are no longer configured."""
    topic = state.directory.topics.hub_status
    before = decode_status(retained.get(topic, b""), topic)
    return tuple(name for name in before.managed if name not in state.routers) if before else ()


def _clear_gone(state: State, step: Step) -> None:
    """Clear what is retained for routers that are no longer configured: for them that means, change nothing."""
    topics = state.directory.topics
    for name in state.gone:
        step.say(phrases.ROUTER_CLEARED, router=name)
        for topic in (topics.endpoints(name), topics.report(name), topics.online(name)):
            step.do(PublishStatus(state.session.generation, topic, b""))
    state.gone = ()
