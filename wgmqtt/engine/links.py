"""Which links are direct, by what both ends report, and when one that is not is retried: less and less often.

Every attempt costs both ends a table, two reports and WireGuard's own handshakes. With these pauses a link that can
never come up is tried eight times on its first day and three times on each later one: at most 100 kB and 45 kB of a
metered line (tests/engine/test_metered_line.py counts them). The fourth pause outlasts what NAT boxes remember of a
failed attempt.
"""

import math
from collections.abc import Iterable

from wgmqtt import phrases
from wgmqtt.engine.state import LinkRecord, RouterRecord, State, Verdict
from wgmqtt.engine.step import Step
from wgmqtt.logline import Phrase
from wgmqtt.model import Link, PublicKey, link_of
from wgmqtt.wire.report import Report, ReportPeer

LIVE_S = 150.0  # a WireGuard session lives 180 s after its handshake; below 150 s both sides still use it
RETRY_S = (5.0, 15.0, 45.0, 200.0, 3600.0, 28_800.0)
HOPELESS_ATTEMPTS = 4
LOGGED_CONTRADICTION = 2  # the attempt that logs one; in the first, one end may just have reported too early
EXPIRED_S = 180.0  # WireGuard discards a session this long after its handshake
CHECK_S = 21_000.0  # a proven link is checked again at most this often: less than `report_polling.ROUND_S`
KICK_S = 30.0  # how long both ends are asked to send: a router that was away for a moment still gets the request


def kick(state: State, links: Iterable[Link], moved: set[Link], mono_s: float) -> None:
    """Ask both ends of these links to send; where an end `moved`, the counting of attempts starts again."""
    for link in links:
        record = state.link(link)
        record.kicked_s = mono_s
        record.kick_until_s = mono_s + KICK_S
        record.first = record.second = "unknown"
        if link in moved:
            record.attempts = record.losses = 0
        state.retries.discard(link)


def connection_lost(state: State, mono_s: float) -> None:
    """Plan another attempt where the request to send may not have reached the broker.

    The first time, as soon as tables may be published again; later with the pauses of failed attempts, because the
    broker may end the connection at every such table.
    """
    for name, record in state.routers.items():
        if record.in_flight is None and not record.is_owed:
            continue
        for link in state.directory.links_of[name]:
            known = state.links.get(link)
            if known is None or math.isinf(known.kicked_s) or _verdict(known, link, name) != "unknown":
                continue
            if link not in state.retries:
                pause_s = RETRY_S[min(known.losses, len(RETRY_S)) - 1] if known.losses else 0.0
                state.retries.set(link, mono_s + pause_s)
                known.losses += 1


def plan(state: State, link: Link, at_s: float) -> None:
    """Plan an attempt on a link, unless an earlier one is planned."""
    if at_s < state.retries.at_s.get(link, math.inf):
        state.retries.set(link, at_s)


def next_s(state: State) -> float:
    """Return when the next link is retried."""
    return state.retries.next_s() if state.can_publish else math.inf


def on_deadline(state: State, step: Step) -> None:
    """Retry the links that are due."""
    if state.can_publish:
        step.kicks.update(state.retries.pop_due(step.now.mono_s))


def reported(state: State, step: Step, record: RouterRecord, before: Report | None, report: Report) -> None:
    """Derive from a final report which of the router's links are direct; plan the next attempt of the others."""
    name = record.router.name
    counted = {peer.key: peer.rx for peer in before.peers} if before and before.seq == report.seq else {}
    newest = record.in_flight or record.retained
    kicked = {peer.key for peer in newest.peers if peer.kick} if newest else set[PublicKey]()
    for peer in report.peers:
        other = state.directory.by_key.get(peer.key)
        if other is None or link_of(name, other.name) not in state.directory.config.links:
            continue
        link = link_of(name, other.name)
        known = state.link(link)
        kicked_ago_s = step.now.mono_s - known.kicked_s if peer.key in kicked else math.inf
        is_proven = _is_proof(peer, counted.get(peer.key), kicked_ago_s)
        if is_proven:
            phrase = _take_proof(state, step, link, name)
        elif _verdict(known, link, name) == "proven" and not math.isinf(known.kicked_s):
            phrase = None
            _check_again(state, step, link, peer)
        else:
            phrase = _take_failure(state, step, link, name)
        if phrase is not None:
            ms = (step.now.mono_s - known.kicked_s) * 1000
            ms_text = "unknown" if math.isinf(ms) else f"{ms:.1f}"
            step.say(phrase, router=name, peer=other.name, ms=ms_text, attempts=known.attempts)


def _is_proof(peer: ReportPeer, rx_before: str | None, kicked_ago_s: float) -> bool:
    """Return whether a line proves the path: by the peer's own receive counter and a young handshake.

    An answered ping proves nothing: it may have gone through the hub. Without the counter of the report before, the
    handshake must be younger than the request to send, so that it is one on the new path.
    """
    if rx_before is not None:
        return is_alive(peer) and peer.rx != rx_before
    return is_alive(peer) and peer.handshake_s is not None and peer.handshake_s < kicked_ago_s


def _take_proof(state: State, step: Step, link: Link, name: str) -> Phrase | None:
    """Record a proof by one end; return the phrase to log, if any. The link is direct when both ends have proved it."""
    known = state.link(link)
    if _verdict(known, link, name) == "proven":
        return None
    _set_verdict(known, link, name, "proven")
    if known.is_contradictory:
        return phrases.CONTRADICTION if known.attempts == LOGGED_CONTRADICTION else None
    if known.first != known.second:
        return None  # the other end has not reported yet
    state.retries.discard(link)
    if not math.isinf(known.kicked_s):
        known.proven_ms = (step.now.mono_s - known.kicked_s) * 1000
    known.attempts = 0
    if not known.is_direct:
        known.direct_since_s = step.now.wall_s
    return phrases.DIRECT


def _take_failure(state: State, step: Step, link: Link, name: str) -> Phrase | None:
    """Record a failure that one end reports, and plan the next attempt; return the phrase to log, if any."""
    known = state.link(link)
    _set_verdict(known, link, name, "failed")
    if link in state.retries:
        return None  # the other end has reported the failure already
    was_direct = known.is_direct
    state.retries.set(link, step.now.mono_s + RETRY_S[min(known.attempts, len(RETRY_S) - 1)])
    known.direct_since_s = None
    known.attempts += 1
    if known.attempts == HOPELESS_ATTEMPTS:
        return phrases.HOPELESS
    if known.is_contradictory and known.attempts == LOGGED_CONTRADICTION:
        return phrases.CONTRADICTION
    return phrases.NOT_DIRECT_YET if was_direct or known.attempts == 1 else None


def _check_again(state: State, step: Step, link: Link, peer: ReportPeer) -> None:
    """Plan a new attempt on a proven link whose session has expired: the link may be idle or broken.

    Both look the same in a report. The link stays direct until an end reports that the new attempt failed.
    """
    has_expired = peer.handshake_s is None or peer.handshake_s >= EXPIRED_S
    is_long_ago = step.now.mono_s - state.link(link).kicked_s >= CHECK_S
    if has_expired and is_long_ago and link not in state.retries:
        state.retries.set(link, step.now.mono_s + RETRY_S[0])


def _verdict(known: LinkRecord, link: Link, name: str) -> Verdict:
    return known.first if name == link.first else known.second


def _set_verdict(known: LinkRecord, link: Link, name: str, verdict: Verdict) -> None:
    if name == link.first:
        known.first = verdict
    else:
        known.second = verdict
    if "unknown" not in (known.first, known.second):
        known.losses = 0


def is_alive(peer: ReportPeer) -> bool:
    """Return whether a router reports a live session with a peer."""
    return peer.handshake_s is not None and peer.handshake_s < LIVE_S
