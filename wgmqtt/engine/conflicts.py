"""Something else on a router overwrites an endpoint (a script, Ansible): the peer is suspended instead of fought over.

The sign: a router sets a peer again to an endpoint that it had set before, although no table named another one since.
After the third time within an hour, the peer is left out of that router's table for an hour.
"""

import math
from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine.state import Configured, RouterRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.model import PublicKey
from wgmqtt.wire.report import Report
from wgmqtt.wire.table import Table

TIMES = 3
WITHIN_S = 3600.0
REST_S = 3600.0


def published(record: RouterRecord, table: Table) -> None:
    """Forget what a router had configured for the peers whose endpoint is another one in its new table."""
    if not record.configured:
        return
    before = {peer.key: peer.endpoint for peer in record.retained.peers} if record.retained else {}
    for peer in table.peers:
        known = record.configured.get(peer.key)
        if known is not None and peer.endpoint != before.get(peer.key):
            record.configured[peer.key] = replace(known, endpoint=None)


def reported(state: State, step: Step, record: RouterRecord, report: Report, *, is_first: bool) -> bool:
    """Record what a report on the newest table shows to be set again; return whether a peer is suspended by it.

    `is_first`: this is the first report on that table.
    """
    found = record.configured if record.configured is not None else {}
    is_suspending = False
    for peer in report.peers:
        other = state.directory.by_key.get(peer.key)
        if other is None or peer.configured is None:
            continue
        known = found.get(peer.key, Configured())
        is_again = is_first and peer.did == "set" and peer.configured == known.endpoint
        # A suspended peer is no longer counted: each new table would cause a report, and that report a new table.
        if is_again and not _is_fought_over(known, step.now.mono_s):
            known = replace(known, rewritten_s=(*known.rewritten_s, step.now.mono_s)[-TIMES:])
            if _is_fought_over(known, step.now.mono_s):
                is_suspending = True
                step.say(phrases.SUSPENDED, router=record.router.name, peer=other.name, for_s=int(REST_S))
        found[peer.key] = replace(known, endpoint=peer.configured)
    record.configured = found or None
    if is_suspending:
        _plan_end(state, record, step.now.mono_s)
    return is_suspending


def next_s(state: State) -> float:
    """Return when the next suspension ends."""
    return state.suspended.next_s() if state.can_publish else math.inf


def on_deadline(state: State, step: Step) -> None:
    """Publish the peers whose suspension has ended."""
    if not state.can_publish:
        return
    for name in state.suspended.pop_due(step.now.mono_s):
        step.tables.add(name)
        _plan_end(state, state.routers[name], step.now.mono_s)


def suspended_peers(state: State, record: RouterRecord, mono_s: float) -> tuple[str, ...]:
    """Return the names of the peers that are left out of a router's table."""
    return tuple(
        state.directory.by_key[key].name
        for key, known in (record.configured or {}).items()
        if key in state.directory.by_key and _is_fought_over(known, mono_s)
    )


def is_suspended(record: RouterRecord, key: PublicKey, mono_s: float) -> bool:
    """Return whether one peer is left out of a router's table."""
    if record.configured is None or key not in record.configured:
        return False
    return _is_fought_over(record.configured[key], mono_s)


def _plan_end(state: State, record: RouterRecord, mono_s: float) -> None:
    """Plan the end of the first suspension of a router's peers, if any is suspended."""
    known = (record.configured or {}).values()
    ends_s = [each.rewritten_s[-1] + REST_S for each in known if _is_fought_over(each, mono_s)]
    if ends_s:
        state.suspended.set(record.router.name, min(ends_s))


def _is_fought_over(known: Configured, mono_s: float) -> bool:
    times = known.rewritten_s
    return len(times) == TIMES and times[-1] - times[0] < WITHIN_S and mono_s < times[-1] + REST_S
