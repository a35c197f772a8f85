"""Who must know what: the table that a router should have, and how it differs from the one it has. Pure."""

from functools import lru_cache

from wgmqtt.engine.conflicts import is_left_alone
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import State
from wgmqtt.model import AnyNetwork, Endpoint, Link, Router
from wgmqtt.wire.table import Table, TablePeer

AFTER_MS = 450  # handshakes 0-30 ms apart cancel each other for 5-20 s; 60 ms and more apart they succeed
NO_SEQ = 0


def desired_table(state: State, name: str, now: Now) -> Table:
    """Return what router `name` should know now, with `NO_SEQ` for a sequence number."""
    roster = state.roster
    own = told_endpoint(state, name)
    kept = state.kept.get(name, {})
    peers = []
    for link in roster.links_of[name]:
        other = roster.by_name[link.other(name)]
        is_fought = is_left_alone(kept, other.key, now.mono_s)
        peers.append(
            TablePeer(
                key=other.key,
                name=other.name,
                endpoint=None if is_fought else _hint(state, roster.by_name[name], other, own),
                ping=other.ping,
                kick=state.kicks.get(link, 0.0) > now.mono_s,
                # Always the same end of a pair waits, so that both sides of a restart agree on which.
                after_ms=AFTER_MS if name == link.second else 0,
            )
        )
    return Table(roster.config.hub.name, NO_SEQ, own, tuple(peers))


def told_endpoint(state: State, name: str) -> Endpoint | None:
    """Return where others are told that router `name` is, if that may be told at all."""
    damper = state.dampers.get(state.roster.by_name[name].key)
    endpoint = damper.told if damper else None
    if endpoint is None or not is_publishable(endpoint, state.roster.config.also_publish):
        return None
    return endpoint


@lru_cache(maxsize=1 << 10)  # every table asks anew of each endpoint in it
def is_publishable(endpoint: Endpoint, also: tuple[AnyNetwork, ...]) -> bool:
    """Return whether others may be told: a global address, or one of a network that the configuration names."""
    ip = endpoint.ip
    return (ip.is_global and not ip.is_multicast) or any(ip in network for network in also)


def _hint(state: State, router: Router, other: Router, own: Endpoint | None) -> Endpoint | None:
    """Return where `router` should look for `other`: inside their common site if both are there, else outside."""
    theirs = told_endpoint(state, other.name)
    same_place = theirs is not None and own is not None and theirs.address == own.address
    if same_place and other.lan is not None and router.site and router.site == other.site:
        return other.lan
    return _usable(theirs, own)


def _usable(theirs: Endpoint | None, own: Endpoint | None) -> Endpoint | None:
    """Leave out what the receiver cannot reach: it gets addresses of the family by which it reaches the hub itself."""
    if theirs is None or own is None or theirs.family != own.family:
        return None
    return theirs


def differs(desired: Table, known: Table | None) -> bool:
    """Return whether `desired` holds anything that `known` does not; `seq` and `kick` never count.

    What is not known now takes nothing back: after a restart of the hub every table would otherwise lose its addresses.
    """
    if known is None:
        return desired.own is not None or any(peer.endpoint for peer in desired.peers)
    if desired.own not in (None, known.own) or len(desired.peers) != len(known.peers):
        return True
    before = {peer.key: peer for peer in known.peers}
    return any(_line_differs(peer, before.get(peer.key)) for peer in desired.peers)


def _line_differs(peer: TablePeer, before: TablePeer | None) -> bool:
    return (
        before is None
        or peer.endpoint not in (None, before.endpoint)
        or (peer.name, peer.ping, peer.after_ms) != (before.name, before.ping, before.after_ms)
    )


def moved_links(desired: Table, known: Table | None, links: tuple[Link, ...], name: str) -> frozenset[Link]:
    """Return the links of router `name` on which one end is somewhere new, so that both must send."""
    # By key: a router that was replaced has another key and no session, be it at the old one's place.
    before = {peer.key: peer for peer in known.peers} if known else {}
    self_moved = desired.own is not None and (known is None or desired.own != known.own)
    present = {peer.name: peer for peer in desired.peers}

    def moved(link: Link) -> bool:
        peer = present[link.other(name)]
        old = before.get(peer.key)
        return peer.endpoint is not None and (self_moved or old is None or peer.endpoint != old.endpoint)

    return frozenset(link for link in links if moved(link))
