"""Which tables are published now: both ends of a link in one step, one in flight per router, the newest wins."""

import math
from collections.abc import Iterable
from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine import conflicts, links, stale_sessions
from wgmqtt.engine.effects import PublishTable, abridge
from wgmqtt.engine.events import Acked
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.engine.tables import desired_table, differs, moved_links, with_kicks
from wgmqtt.model import Link
from wgmqtt.wire.table import Table, encode_table

ACK_TIMEOUT_S = 10.0
MOST_IN_FLIGHT = 256  # of ten thousand at once the others wait: neither this process nor the broker is blocked by them
SPACING_S = 0.3  # a router that has not answered yet is still busy with the last table


def settle(state: State, step: Step) -> None:
    """Publish what `step.tables` lack, and the tables of both ends of each link that moved or is kicked."""
    if not state.can_publish or not (step.tables or step.kicks or state.queue):
        return
    tables, moved = _due_tables(state, step)
    # Both ends are asked to send, although the table of the end that stayed may hold nothing new.
    kicked = moved | step.kicks
    links.kick(state, kicked, moved, step.now.mono_s)
    owed = {name for link in kicked for name in (link.first, link.second)}
    published = Step(step.now)
    for name in sorted(tables.keys() | owed):
        record = state.routers[name]
        record.is_owed = record.is_owed or name in owed
        _settle_one(state, published, record, tables.get(name))
    _continue_queue(state, published)
    step.do(*abridge(published.effects, phrases.TABLES_PUBLISHED))


def _due_tables(state: State, step: Step) -> tuple[dict[str, Table | None], set[Link]]:
    """Return those of `step.tables` that are owed or differ from what the broker retains, and the links that moved.

    No more tables are kept than can be published at once: those of ten thousand routers would take 5 MB.
    """
    tables, moved = dict[str, Table | None](), set[Link]()
    for name in step.tables:
        record = state.routers[name]
        table = desired_table(state, name, step.now)
        moved.update(moved_links(table, record.in_flight or record.retained, state.directory.links_of[name]))
        if record.is_owed or differs(table, record.retained):
            tables[name] = table if len(tables) < MOST_IN_FLIGHT else None
    return tables, moved


def _settle_one(state: State, step: Step, record: RouterRecord, table: Table | None) -> None:
    """Publish a router's table, or plan when to. `table` is the desired one, if it is known.

    A router with a table in flight is settled again when that is acknowledged.
    """
    name = record.router.name
    if record.in_flight is not None:
        return
    free_s = _free_s(record)
    if step.now.mono_s < free_s:
        state.spaced.set(name, free_s)
    elif len(state.in_flight_s) >= MOST_IN_FLIGHT:
        state.queue[name] = None
    else:
        table = with_kicks(state, table, name, step.now) if table else desired_table(state, name, step.now)
        _publish(state, step, record, table)


def _publish(state: State, step: Step, record: RouterRecord, content: Table) -> None:
    name, mono_s = record.router.name, step.now.mono_s
    state.last_seq = max(state.last_seq + 1, int(step.now.wall_s * 1000))
    table = replace(content, seq=state.last_seq)
    conflicts.published(record, table)
    record.in_flight = table
    record.is_owed = False
    record.published_s = state.in_flight_s[name] = mono_s
    stale_sessions.asked(state, record, mono_s)
    payload = encode_table(table)
    step.do(PublishTable(state.session.generation, name, state.directory.topics.endpoints(name), payload, table.seq))
    step.say(phrases.TABLE_PUBLISHED, router=name, seq=table.seq, bytes=len(payload))


def acked(state: State, step: Step, event: Acked) -> None:
    """Record that the broker has a table, and publish what changed while it was in flight."""
    record = state.routers.get(event.router)
    if record is None or record.in_flight is None or record.in_flight.seq != event.seq:
        return
    mono_s = step.now.mono_s
    ms = (mono_s - state.in_flight_s.pop(event.router, mono_s)) * 1000
    record.retained, record.in_flight = record.in_flight, None
    state.acked_s = mono_s
    step.tables.add(event.router)
    step.say(phrases.TABLE_ACKNOWLEDGED, router=event.router, seq=event.seq, ms=f"{ms:.1f}")


def _continue_queue(state: State, step: Step) -> None:
    """Publish more of what is queued, once half of what was in flight is acknowledged."""
    if len(state.in_flight_s) > MOST_IN_FLIGHT // 2:
        return
    while state.queue and len(state.in_flight_s) < MOST_IN_FLIGHT:
        name = next(iter(state.queue))
        del state.queue[name]
        record, table = state.routers[name], desired_table(state, name, step.now)
        if record.is_owed or differs(table, record.retained):
            _settle_one(state, step, record, table)


def answered(state: State, step: Step, record: RouterRecord) -> None:
    """Publish at once what waited for the router's answer to its last table."""
    name = record.router.name
    if name in state.spaced and step.now.mono_s >= _free_s(record):
        state.spaced.discard(name)
        step.tables.add(name)


def next_s(state: State) -> float:
    """Return when the next table that waits for its turn may be published."""
    return state.spaced.next_s() if state.can_publish else math.inf


def on_deadline(state: State, step: Step) -> None:
    """Publish what had to wait for its turn."""
    if state.can_publish:
        step.tables.update(state.spaced.pop_due(step.now.mono_s))


def unacknowledged_since_s(state: State) -> float:
    """Return since when the broker has acknowledged nothing, in monotonic seconds; infinity if nothing is in flight.

    Of ten thousand tables the last one may take a while, so an acknowledgement of any of them counts.
    """
    oldest_s = next(iter(state.in_flight_s.values()), math.inf)
    return max(oldest_s, state.acked_s)


def take_read_back(state: State, retained: dict[str, Table], names: Iterable[str]) -> None:
    """Begin a session: the broker has these tables, and nothing is in flight."""
    state.in_flight_s.clear()
    state.queue.clear()
    for name in names:
        record = state.routers[name]
        record.retained, record.in_flight, record.is_owed = retained.get(name), None, False


def _free_s(record: RouterRecord) -> float:
    """Return when a router may get its next table: at once if it answered the last one, else after `SPACING_S`."""
    if record.retained is None or record.published_s is None:
        return -math.inf
    if record.report is not None and record.report.seq >= record.retained.seq:
        return -math.inf
    return record.published_s + SPACING_S
