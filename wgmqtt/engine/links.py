"""Which links are direct, and when a link that is not is tried again: ever more rarely. Pure.

Every try costs both ends a table, two reports and WireGuard's own handshakes. With these pauses a link that can never
come up is tried eight times on its first day and three times on each later one: at most 100 kB and 45 kB of a metered
line (tests/engine/test_metered_line.py counts them). The fourth pause outlasts what NAT boxes remember of a failed try.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine.effects import Effect
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import LinkView, State
from wgmqtt.logline import Phrase, say
from wgmqtt.model import Link, link_of
from wgmqtt.wire.report import Report, ReportPeer

LIVE_S = 150.0  # a WireGuard session lives 180 s after its handshake; below 150 s both sides still use it
RETRY_S = (5.0, 15.0, 45.0, 200.0, 3600.0, 28_800.0)
HOPELESS_TRIES = 4


def kicked(state: State, links: Iterable[Link], moved: Iterable[Link], now: Now) -> State:
    """Note that both ends of these links were asked to send; where an end `moved`, the counting begins anew."""
    views, fresh = dict(state.links), frozenset(moved)
    for link in links:
        view = views.get(link, LinkView())
        tries = 0 if link in fresh else view.tries
        views[link] = replace(view, kicked_s=now.mono_s, retry_s=math.inf, tries=tries)
    return replace(state, links=views)


def due(state: State, mono_s: float) -> frozenset[Link]:
    """Return the links that are to be tried again now."""
    if mono_s < state.retry_s:
        return frozenset()
    return frozenset(link for link, view in state.links.items() if view.retry_s <= mono_s)


def planned(state: State, mono_s: float) -> State:
    """Return the state that knows again when the next link is due, once that time has come."""
    if mono_s < state.retry_s:
        return state
    return replace(state, retry_s=min((view.retry_s for view in state.links.values()), default=math.inf))


def judge(state: State, name: str, before: Report | None, report: Report, now: Now) -> tuple[State, list[Effect]]:
    """Take from a final report of router `name` which of its links are direct; plan the next try of the others."""
    effects: list[Effect] = []
    views, judged = dict(state.links), list[Link]()
    counted = {peer.key: peer.rx for peer in before.peers} if before and before.seq == report.seq else {}
    for peer in report.peers:
        other = state.roster.by_key.get(peer.key)
        link = link_of(name, other.name) if other else None
        if other is None or link not in state.roster.config.links:
            continue
        view = views.get(link, LinkView())
        judged.append(link)
        views[link], said = _judge_one(view, peer, counted.get(peer.key), now)
        if said:
            ms = f"{(now.mono_s - view.kicked_s) * 1000:.1f}" if view.kicked_s > -math.inf else "unknown"
            effects.append(say(said, router=name, peer=other.name, ms=ms, tries=views[link].tries))
    soonest_s = min((views[link].retry_s for link in judged), default=math.inf)
    return replace(state, links=views, retry_s=min(state.retry_s, soonest_s)), effects


def _judge_one(view: LinkView, peer: ReportPeer, rx_before: str | None, now: Now) -> tuple[LinkView, Phrase | None]:
    """Only the peer's own counter and a young handshake prove a path: a ping may have gone by the hub."""
    is_alive = peer.handshake_s is not None and peer.handshake_s < LIVE_S
    if is_alive and (rx_before is None or peer.rx != rx_before):
        ms = (now.mono_s - view.kicked_s) * 1000 if view.proven_s < view.kicked_s else view.proven_ms
        proven = replace(view, proven_s=now.mono_s, retry_s=math.inf, tries=0, proven_ms=ms)
        if view.is_direct:
            return proven, phrases.DIRECT if view.proven_s < view.kicked_s else None
        return replace(proven, direct_since_s=now.wall_s), phrases.DIRECT
    if view.proven_s >= view.kicked_s > -math.inf:
        return view, None  # the other end has proof for this very try
    if not math.isinf(view.retry_s):
        return view, None  # the other end has said so already
    pause_s = RETRY_S[min(view.tries, len(RETRY_S) - 1)]
    failed = replace(view, direct_since_s=None, retry_s=now.mono_s + pause_s, tries=view.tries + 1)
    if failed.tries == HOPELESS_TRIES:
        return failed, phrases.HOPELESS
    return failed, phrases.NOT_DIRECT_YET if view.is_direct or view.tries == 0 else None
