"""What a report means: how fast a router acted, and whether the direct path is proven."""

from wgmqtt import phrases
from wgmqtt.engine import conflicts, links, outbox, stale_sessions
from wgmqtt.engine.events import Reported
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.errors import WgmqttError
from wgmqtt.wire.report import STAGES, Report, decode_head, decode_lines

MAX_LOGGED = 200
STAGE_PHRASES = {"applied": phrases.TABLE_APPLIED, "final": phrases.TABLE_FINAL}


def reported(state: State, step: Step, event: Reported) -> None:
    """Keep the newest report by `seq` and stage, and act on what it shows."""
    record = state.routers.get(event.router)
    if record is None or not event.payload:
        return
    before = record.report
    try:
        report = _decode(state, record, event.payload)
    except WgmqttError as error:
        if not record.is_report_malformed:
            record.is_report_malformed = True
            step.say(phrases.REPORT_MALFORMED, router=record.router.name, reason=error)
        return
    if report is None:
        return
    record.report, record.reported_s, record.is_report_malformed = report, step.now.wall_s, False
    state.has_report = True
    stale_sessions.reported(state, record)
    if report.seq == record.last_seq:
        _answered(state, step, record, before)
    outbox.answered(state, step, record)


def _decode(state: State, record: RouterRecord, payload: bytes) -> Report | None:
    """Return a report that counts; None for an older one, or one on a table that was never published.

    The lines are decoded only if the head shows that the report counts, and only those about linked peers.

    Raises:
        WireError: it is malformed.
    """
    name = record.router.name
    topic = state.directory.topics.report(name)
    head = decode_head(payload, topic)
    if head.seq > state.last_seq or (record.report is not None and head.rank <= _rank(record.report)):
        return None
    links_of, by_name = state.directory.links_of[name], state.directory.by_name
    return decode_lines(head, (by_name[link.other(name)].key for link in links_of), topic)


def _answered(state: State, step: Step, record: RouterRecord, before: Report | None) -> None:
    """Act on the report on the router's newest table, which the record has already; `before` is the report before."""
    report = record.report
    if report is None:
        return
    is_first = before is None or before.seq != report.seq
    if record.published_s is not None:  # else the table is from an earlier process: there is nothing to measure against
        _measure(step, record, report, record.published_s, is_first=is_first)
        if report.stage == "final":
            links.reported(state, step, record, before, report)
    if conflicts.reported(state, step, record, report, is_first=is_first):
        # A table without the suspended peer must replace the retained one, which would be applied again.
        record.is_owed = True
        step.tables.add(record.router.name)


def _measure(step: Step, record: RouterRecord, report: Report, published_s: float, *, is_first: bool) -> None:
    ms = (step.now.mono_s - published_s) * 1000
    step.say(
        STAGE_PHRASES[report.stage],
        router=record.router.name,
        seq=report.seq,
        ms=f"{ms:.1f}",
        did=",".join(sorted({peer.did for peer in report.peers}))[:MAX_LOGGED] or "nothing",
        error=report.error or "none",
    )
    if is_first:
        record.applied_ms = round(ms, 1)


def _rank(report: Report) -> tuple[int, int]:
    return report.seq, STAGES.index(report.stage)
