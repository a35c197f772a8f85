"""Which links are direct, and when one that is not is retried: less and less often.

Every attempt costs both ends a table, two reports and WireGuard's own handshakes. With these pauses a link that can
never come up is tried eight times on its first day and three times on each later one: at most 100 kB and 45 kB of a
metered line (tests/engine/test_metered_line.py counts them). The fourth pause outlasts what NAT boxes remember of a
failed attempt.
"""

import math
from collections.abc import Iterable

from wgmqtt import phrases
from wgmqtt.engine.state import LinkRecord, RouterRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.logline import Phrase
from wgmqtt.model import Link, link_of
from wgmqtt.wire.report import Report, ReportPeer

LIVE_S = 150.0  # a WireGuard session lives 180 s after its handshake; below 150 s both sides still use it
RETRY_S = (5.0, 15.0, 45.0, 200.0, 3600.0, 28_800.0)
HOPELESS_ATTEMPTS = 4
KICK_S = 30.0  # how long both ends are asked to send: a router that was away for a moment still gets the request


def kick(state: State, links: Iterable[Link], moved: set[Link], mono_s: float) -> None:
    """Ask both ends of these links to send; where an end `moved`, the counting of attempts starts again."""
    for link in links:
        record = state.link(link)
        record.kicked_s = mono_s
        record.kick_until_s = mono_s + KICK_S
        if link in moved:
            record.attempts = 0
        state.retries.discard(link)


def next_s(state: State) -> float:
    """Return when the next link is retried."""
    return state.retries.next_s() if state.can_publish else math.inf


def on_deadline(state: State, step: Step) -> None:
    """Retry the links that are due."""
    if state.can_publish:
        step.kicks.update(state.retries.pop_due(step.now.mono_s))


def reported(state: State, step: Step, record: RouterRecord, before: Report | None, report: Report) -> None:
    """Take from a final report which of the router's links are direct; plan the next attempt of the others."""
    name = record.router.name
    counted = {peer.key: peer.rx for peer in before.peers} if before and before.seq == report.seq else {}
    for peer in report.peers:
        other = state.directory.by_key.get(peer.key)
        if other is None or link_of(name, other.name) not in state.directory.config.links:
            continue
        link = link_of(name, other.name)
        known = state.link(link)
        since_kick_ms = (step.now.mono_s - known.kicked_s) * 1000
        phrase = _judge(state, step, link, peer, counted.get(peer.key))
        if phrase is not None:
            ms = "unknown" if math.isinf(since_kick_ms) else f"{since_kick_ms:.1f}"
            step.say(phrase, router=name, peer=other.name, ms=ms, attempts=known.attempts)


def _judge(state: State, step: Step, link: Link, peer: ReportPeer, rx_before: str | None) -> Phrase | None:
    """Take one line of a report into its link's record; return the phrase to log, if any.

    Only the peer's own receive counter and a young handshake prove a path: a ping may have gone through the hub.
    """
    known = state.link(link)
    if is_alive(peer) and (rx_before is None or peer.rx != rx_before):
        return _prove(state, step, link, known)
    if known.proven_s >= known.kicked_s > -math.inf:
        return None  # the other end has proved this very attempt
    if link in state.retries:
        return None  # the other end has reported the failure already
    was_direct, was_first = known.is_direct, known.attempts == 0
    pause_s = RETRY_S[min(known.attempts, len(RETRY_S) - 1)]
    state.retries.set(link, step.now.mono_s + pause_s)
    known.direct_since_s = None
    known.attempts += 1
    if known.attempts == HOPELESS_ATTEMPTS:
        return phrases.HOPELESS
    return phrases.NOT_DIRECT_YET if was_direct or was_first else None


def _prove(state: State, step: Step, link: Link, known: LinkRecord) -> Phrase | None:
    is_first = known.proven_s < known.kicked_s
    if is_first:
        known.proven_ms = (step.now.mono_s - known.kicked_s) * 1000
    was_direct = known.is_direct
    known.proven_s = step.now.mono_s
    known.attempts = 0
    known.direct_since_s = known.direct_since_s if was_direct else step.now.wall_s
    state.retries.discard(link)
    return phrases.DIRECT if is_first or not was_direct else None


def is_alive(peer: ReportPeer) -> bool:
    """Return whether a router reports a live session with a peer."""
    return peer.handshake_s is not None and peer.handshake_s < LIVE_S
