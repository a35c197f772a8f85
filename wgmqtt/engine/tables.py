"""The table that a router should have, and how it differs from the one that it has."""

from dataclasses import replace

from wgmqtt.engine.conflicts import is_suspended
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.model import Endpoint, Link, Router
from wgmqtt.wire.table import Table, TablePeer

AFTER_MS = 450  # handshakes 0-30 ms apart cancel each other for 5-20 s; 60 ms and more apart they succeed
NO_SEQ = 0


def desired_table(state: State, name: str, now: Now) -> Table:
    """Return the table that router `name` should have now, with `NO_SEQ` for a sequence number."""
    record = state.routers[name]
    peers = []
    for link in state.directory.links_of[name]:
        other = state.routers[link.other(name)]
        is_left_out = is_suspended(record, other.router.key, now.mono_s)
        peers.append(
            TablePeer(
                key=other.router.key,
                name=other.router.name,
                endpoint=None if is_left_out else _endpoint_for(record, other),
                ping=other.router.ping,
                kick=is_kicked(state, link, now),
                # Always the same end of a pair waits, so that both agree on it, also after a restart of the hub.
                after_ms=AFTER_MS if name == link.second else 0,
            )
        )
    return Table(state.directory.config.hub.name, NO_SEQ, record.announced, tuple(peers))


def with_kicks(state: State, table: Table, name: str, now: Now) -> Table:
    """Return the table with the kicks of this moment: they may have begun since it was made."""
    kicked = [is_kicked(state, link, now) for link in state.directory.links_of[name]]
    if kicked == [peer.kick for peer in table.peers]:
        return table
    peers = (replace(peer, kick=kick) for peer, kick in zip(table.peers, kicked, strict=True))
    return replace(table, peers=tuple(peers))


def is_kicked(state: State, link: Link, now: Now) -> bool:
    """Return whether both ends of a link are asked to send."""
    record = state.links.get(link)
    return record is not None and record.kick_until_s > now.mono_s


def _endpoint_for(receiver: RouterRecord, other: RouterRecord) -> Endpoint | None:
    """Return where `receiver` should send to `other`: inside their common site if both are there, else outside."""
    own, theirs = receiver.announced, other.announced
    if theirs is None or own is None:
        return None
    if theirs.address == own.address and other.router.lan is not None and _share_site(receiver.router, other.router):
        return other.router.lan
    # A router gets addresses of the family by which it reaches the hub itself: it may have no other one.
    return theirs if theirs.family == own.family else None


def _share_site(one: Router, other: Router) -> bool:
    return bool(one.site) and one.site == other.site


def differs(desired: Table, known: Table | None) -> bool:
    """Return whether `desired` holds anything that `known` does not; `seq` and `kick` never count.

    An unknown endpoint withdraws nothing: otherwise every table would lose its addresses after a restart of the hub.
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


def moved_links(desired: Table, known: Table | None, links: tuple[Link, ...]) -> list[Link]:
    """Return the links on which one end has a new endpoint, so that both must send.

    `links` are those of the router, in the order of the table's lines.
    """
    # By key: a replaced router has another key and no session, even if it is at the endpoint of the old one.
    before = {peer.key: peer for peer in known.peers} if known else {}
    has_moved = desired.own is not None and (known is None or desired.own != known.own)
    moved = list[Link]()
    for link, peer in zip(links, desired.peers, strict=True):
        old = before.get(peer.key)
        if peer.endpoint is not None and (has_moved or old is None or peer.endpoint != old.endpoint):
            moved.append(link)
    return moved
