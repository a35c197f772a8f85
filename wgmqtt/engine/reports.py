"""What a report means: how fast a router acted, and whether the direct path is proven. Pure."""

from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine import conflicts, links, outbox, stale_sessions
from wgmqtt.engine.effects import Effect
from wgmqtt.engine.events import Now, Reported
from wgmqtt.engine.state import Outbox, State, unreadable
from wgmqtt.errors import WgmqttError
from wgmqtt.logline import say
from wgmqtt.wire.report import STAGES, Report, decode_head, decode_lines

STAGE_PHRASES = {"applied": phrases.TABLE_APPLIED, "final": phrases.TABLE_FINAL}


def reported(state: State, event: Reported, now: Now) -> tuple[State, list[Effect]]:
    """Keep the newest report by `seq` and stage, and say what it shows."""
    name = event.router
    if name not in state.roster.by_name or not event.payload:
        return state, []
    trouble = unreadable(name)
    before, topic = state.reports.get(name), state.roster.topics.report(name)
    try:
        head = decode_head(event.payload, topic)
        if head.seq > state.last_seq:
            return state, []  # an answer to a table that was never sent
        if before is not None and head.rank <= _rank(before):
            return state, []
        linked = (state.roster.by_name[link.other(name)].key for link in state.roster.links_of[name])
        report = decode_lines(head, linked, topic)
    except WgmqttError as error:
        is_known = trouble in state.troubles
        state = replace(state, troubles=state.troubles | {trouble})
        return state, [] if is_known else [say(phrases.REPORT_MALFORMED, router=name, reason=error)]
    state = replace(
        state,
        reports={**state.reports, name: report},
        heard_s={**state.heard_s, name: now.wall_s},
        troubles=state.troubles - {trouble},
    )
    if report.seq == state.last_seq_of(name):
        state = stale_sessions.answered(state, name)
    state, said = _told(state, name, before, report, now)
    state, stopped = _not_fought(state, name, before, report, now)
    state, freed = outbox.answered(state, name, now)
    return state, said + stopped + freed


def _not_fought(state: State, name: str, before: Report | None, report: Report, now: Now) -> tuple[State, list[Effect]]:
    """Send a table without what something else on the router rewrites, at once: the retained one would go on."""
    if report.seq != state.last_seq_of(name):
        return state, []
    is_first = before is None or before.seq != report.seq
    state, said = conflicts.heard(state, name, report, now, is_first=is_first)
    if not said:
        return state, []
    box = state.outboxes.get(name, Outbox())
    state = replace(state, outboxes={**state.outboxes, name: replace(box, owed=True)})
    state, effects = outbox.settle(state, (name,), now)
    return state, said + effects


def _told(state: State, name: str, before: Report | None, report: Report, now: Now) -> tuple[State, list[Effect]]:
    if report.seq != state.last_seq_of(name) or name not in state.published_s:
        return state, []  # an answer to a table of an earlier life: known, but nothing to measure against
    passed_ms = (now.mono_s - state.published_s[name]) * 1000
    ms = f"{passed_ms:.1f}"
    dids = ",".join(sorted({peer.did for peer in report.peers})) or "nothing"
    effects: list[Effect] = [
        say(STAGE_PHRASES[report.stage], router=name, seq=report.seq, ms=ms, did=dids, error=report.error or "none")
    ]
    if before is None or before.seq != report.seq:
        state = replace(state, applied_ms={**state.applied_ms, name: round(passed_ms, 1)})
    if report.stage == "final":
        state, paths = links.judge(state, name, before, report, now)
        effects += paths
    return state, effects


def _rank(report: Report) -> tuple[int, int]:
    return report.seq, STAGES.index(report.stage)
