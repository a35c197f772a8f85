"""Which tables leave now: both ends of a link in one step, one in flight per router, the newest wins. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wgmqtt import late, links, rewrites
from wgmqtt.effects import Effect, PublishTable, say
from wgmqtt.events import Acked, Now
from wgmqtt.model import Link
from wgmqtt.state import Outbox, State
from wgmqtt.tables import desired_table, differs, moved_links
from wgmqtt.wire import encode_table

KICK_S = 30.0  # how long both ends are asked for traffic: a router that was away for a moment still hears of it
ACK_TIMEOUT_S = 10.0
SPACING_S = 0.3  # a router that has not answered yet is still busy with the last table


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
    for name in sorted(due | owed):
        state, sent = _settle_one(state, name, now, owed=name in owed)
        effects += sent
    return state, effects


def acked(state: State, event: Acked, now: Now) -> tuple[State, list[Effect]]:
    """Take note that the broker has a table, and send what became newer while it was on its way."""
    box = state.outboxes.get(event.router)
    if box is None or box.in_flight is None or box.in_flight.seq != event.seq:
        return state, []
    waited_ms = (now.mono_s - state.sent_s.get(event.router, now.mono_s)) * 1000
    done = replace(box, retained=box.in_flight, in_flight=None)
    state = replace(
        state,
        outboxes={**state.outboxes, event.router: done},
        sent_s={name: at for name, at in state.sent_s.items() if name != event.router},
    )
    state, effects = settle(state, (event.router,), now)
    said = say("debug", "table acknowledged", router=event.router, seq=event.seq, ms=f"{waited_ms:.1f}")
    return state, [said, *effects]


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
    """Return when the oldest unacknowledged table left, in monotonic seconds."""
    return min(state.sent_s.values(), default=None)


def _running(kicks: Mapping[Link, float], now: Now) -> dict[Link, float]:
    return {link: until for link, until in kicks.items() if until > now.mono_s}


def _settle_one(state: State, name: str, now: Now, *, owed: bool) -> tuple[State, list[Effect]]:
    box = state.outboxes.get(name, Outbox())
    if box.in_flight is not None:
        waiting = replace(box, owed=box.owed or owed)
        return replace(state, outboxes={**state.outboxes, name: waiting}), []
    table = desired_table(state, name, now)
    is_owed = owed or box.owed
    if not (is_owed or differs(table, box.retained)):
        return state, []
    free_s = _free_s(state, name)
    if now.mono_s < free_s:
        waiting = replace(box, owed=is_owed)
        outboxes = {**state.outboxes, name: waiting}
        return replace(state, outboxes=outboxes, spaced_s={**state.spaced_s, name: free_s}), []
    seq = max(state.last_seq + 1, int(now.wall_s * 1000))
    table = replace(table, seq=seq)
    state = replace(
        state,
        last_seq=seq,
        outboxes={**state.outboxes, name: Outbox(box.retained, table)},
        sent_s={**state.sent_s, name: now.mono_s},
        published_s={**state.published_s, name: now.mono_s},
    )
    state = rewrites.told(late.asked(state, name, now), name, box.retained, table)
    payload = encode_table(table)
    publish = PublishTable(state.session.generation, name, state.roster.topics.endpoints(name), payload, seq)
    return state, [publish, say("info", "table published", router=name, seq=seq, bytes=len(payload))]
