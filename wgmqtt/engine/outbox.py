"""Which tables leave now: both ends of a link in one step, one in flight per router, the newest wins. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from wgmqtt import phrases
from wgmqtt.engine import conflicts, links, stale_sessions
from wgmqtt.engine.effects import Effect, PublishTable, abridge
from wgmqtt.engine.events import Acked, Now
from wgmqtt.engine.state import Outbox, State
from wgmqtt.engine.tables import desired_table, differs, moved_links
from wgmqtt.logline import say
from wgmqtt.model import Link
from wgmqtt.wire.table import encode_table

KICK_S = 30.0  # how long both ends are asked for traffic: a router that was away for a moment still hears of it
ACK_TIMEOUT_S = 10.0
MOST_IN_FLIGHT = 256  # of ten thousand at once the others wait: neither this process nor the broker stands still
SPACING_S = 0.3  # a router that has not answered yet is still busy with the last table


@dataclass(slots=True)
class _Batch:
    """What one `settle` decides. It goes into the state as a whole: a copy for each router would cost their square."""

    last_seq: int
    outboxes: dict[str, Outbox] = field(default_factory=dict)
    spaced_s: dict[str, float] = field(default_factory=dict)
    queued: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)


def settle(
    state: State, names: Iterable[str], now: Now, again: frozenset[Link] = frozenset()
) -> tuple[State, list[Effect]]:
    """Publish to each router in `names`, and to the far end of each link that moved, what its table lacks.

    `again` are links on which both ends shall send although no table differs.
    """
    if state.session.phase != "ready" or state.is_frozen:
        return state, []
    due = set(names)
    moved: set[Link] = set()
    for name in due:
        box = state.outboxes.get(name, Outbox())
        table = desired_table(state, name, now)
        moved |= moved_links(table, box.in_flight or box.retained, state.roster.links_of[name], name)
    # Both ends are told and both send, although the table of the end that stayed may hold nothing new.
    owed = {name for link in moved | again for name in (link.first, link.second)}
    if owed:
        kicks = dict.fromkeys(moved | again, now.mono_s + KICK_S)
        state = replace(state, kicks=_running(state.kicks, now) | kicks)
        state = links.kicked(state, moved | again, moved, now)
    effects: list[Effect] = []
    batch = _Batch(state.last_seq)
    for name in sorted(due | owed):
        effects += _settle_one(state, batch, name, now, owed=name in owed)
    return _settled(state, batch, now), abridge(effects, phrases.TABLES_PUBLISHED)


def acked(state: State, event: Acked, now: Now) -> tuple[State, list[Effect]]:
    """Take note that the broker has a table, and send what became newer while it was on its way."""
    box = state.outboxes.get(event.router)
    if box is None or box.in_flight is None or box.in_flight.seq != event.seq:
        return state, []
    waited_ms = (now.mono_s - state.sent_s.get(event.router, now.mono_s)) * 1000
    done = replace(box, retained=box.in_flight, in_flight=None)
    sent_s = dict(state.sent_s)
    sent_s.pop(event.router, None)
    state = replace(state, outboxes={**state.outboxes, event.router: done}, sent_s=sent_s, acked_s=now.mono_s)
    state, effects = settle(state, (event.router,), now)
    state, more = _go_on(state, now)
    said = say(phrases.TABLE_ACKNOWLEDGED, router=event.router, seq=event.seq, ms=f"{waited_ms:.1f}")
    return state, [said, *effects, *more]


def _go_on(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Send more of what is queued, once half of what was in flight has arrived."""
    if not state.queued or state.is_frozen or len(state.sent_s) > MOST_IN_FLIGHT // 2:
        return state, []
    names, batch, effects = deque(state.queued), _Batch(state.last_seq), list[Effect]()
    while names and len(state.sent_s) + len(batch.sent) < MOST_IN_FLIGHT:
        effects += _settle_one(state, batch, names.popleft(), now, owed=False)
    return _settled(replace(state, queued=tuple(names)), batch, now), abridge(effects, phrases.TABLES_PUBLISHED)


def woken(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Send what had to wait for its turn."""
    due = [name for name, free_s in state.spaced_s.items() if free_s <= now.mono_s]
    if not due or state.session.phase != "ready":
        return state, []
    left = {name: free_s for name, free_s in state.spaced_s.items() if free_s > now.mono_s}
    return settle(replace(state, spaced_s=left), due, now)


def answered(state: State, name: str, now: Now) -> tuple[State, list[Effect]]:
    """Send at once what waited for the router's answer to its last table."""
    if name not in state.spaced_s or now.mono_s < _free_s(state, name):
        return state, []
    left = {other: free_s for other, free_s in state.spaced_s.items() if other != name}
    return settle(replace(state, spaced_s=left), (name,), now)


def _free_s(state: State, name: str) -> float:
    """Return when a router may get its next table: at once if it answered the last one, else after `SPACING_S`."""
    box, report = state.outboxes.get(name, Outbox()), state.reports.get(name)
    if box.retained is None or (report is not None and report.seq >= box.retained.seq):
        return 0.0
    return state.published_s.get(name, -SPACING_S) + SPACING_S


def oldest_sent_s(state: State) -> float | None:
    """Return since when the broker has acknowledged nothing, in monotonic seconds; None if nothing is on its way."""
    oldest_s = next(iter(state.sent_s.values()), None)  # they stand in the order of their leaving
    return None if oldest_s is None else max(oldest_s, state.acked_s)  # of ten thousand the last may take a while


def _running(kicks: Mapping[Link, float], now: Now) -> dict[Link, float]:
    return {link: until for link, until in kicks.items() if until > now.mono_s}


def _settled(state: State, batch: _Batch, now: Now) -> State:
    if not batch.outboxes:
        return state
    before, sent_s = state.outboxes, dict.fromkeys(batch.sent, now.mono_s)
    state = replace(
        state,
        last_seq=batch.last_seq,
        outboxes={**before, **batch.outboxes},
        queued=(*state.queued, *batch.queued),
        spaced_s={**state.spaced_s, **batch.spaced_s},
        sent_s={**state.sent_s, **sent_s},
        published_s={**state.published_s, **sent_s},
    )
    for name in batch.sent:
        table = batch.outboxes[name].in_flight
        if name in state.kept and table is not None:
            state = conflicts.told(state, name, before.get(name, Outbox()).retained, table)
    return stale_sessions.asked(state, batch.sent, now)


def _settle_one(state: State, batch: _Batch, name: str, now: Now, *, owed: bool) -> list[Effect]:
    box = state.outboxes.get(name, Outbox())
    if box.in_flight is not None:
        batch.outboxes[name] = replace(box, owed=box.owed or owed)
        return []
    table = desired_table(state, name, now)
    is_owed = owed or box.owed
    if not (is_owed or differs(table, box.retained)):
        return []
    free_s = _free_s(state, name)
    if now.mono_s < free_s:
        batch.outboxes[name] = replace(box, owed=is_owed)
        batch.spaced_s[name] = free_s
        return []
    if len(state.sent_s) + len(batch.sent) >= MOST_IN_FLIGHT:
        batch.outboxes[name] = replace(box, owed=is_owed)
        batch.queued.append(name)
        return []
    batch.last_seq = max(batch.last_seq + 1, int(now.wall_s * 1000))
    table = replace(table, seq=batch.last_seq)
    batch.outboxes[name] = Outbox(box.retained, table)
    batch.sent.append(name)
    payload = encode_table(table)
    topic = state.roster.topics.endpoints(name)
    publish = PublishTable(state.session.generation, name, topic, payload, batch.last_seq)
    return [publish, say(phrases.TABLE_PUBLISHED, router=name, seq=batch.last_seq, bytes=len(payload))]
