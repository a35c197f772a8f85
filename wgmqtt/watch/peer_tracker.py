"""Compare the dumps of one interface: which peers changed, and at which endpoints they were heard."""

from dataclasses import dataclass

from wgmqtt.model import Endpoint, PeerState
from wgmqtt.wireguard.dump import Dump
from wgmqtt.wireguard.snapshot import Differences, Snapshot, differences, peer_state


@dataclass(frozen=True, slots=True)
class Changes:
    """What one dump showed, compared with the snapshot before."""

    before: Snapshot
    differences: Differences
    moved: tuple[PeerState, ...]
    """The changed peers that have another endpoint, heard there or not."""


class PeerTracker:
    """Holds the newest snapshot of an interface, and the peers that were not heard yet at their endpoint in it."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self.snapshot: Snapshot = {}
        self._unconfirmed: set[bytes] = set()
        self._expected: set[bytes] = set()
        self._repeats = False

    @property
    def is_expecting(self) -> bool:
        """Return whether a peer moved lately and will probably be heard at its new endpoint in a moment."""
        return bool(self._expected)

    def repeat(self) -> None:
        """Let the next dump count every peer as changed: other peers may be of interest than before."""
        self._repeats = True

    def update(self, dump: Dump, now_s: float) -> Changes:
        """Take in a new dump. `now_s` is Unix time.

        Raises:
            DecodeError: an endpoint is malformed.
        """
        before, is_first = self.snapshot, not self.snapshot
        found = differences(before, dump.snapshot, complete=dump.complete, now_s=now_s, unconfirmed=self._unconfirmed)
        self.snapshot = dump.snapshot if dump.complete else before | dump.snapshot
        moved = tuple(peer for peer in found.changed if _has_moved(before, dump.snapshot, peer))
        settled = {peer.key.raw for peer in found.changed if peer.is_heard} | {key.raw for key in found.removed}
        unheard = {peer.key.raw for peer in moved if peer.endpoint and not peer.is_heard}
        self._unconfirmed = (self._unconfirmed - settled) | unheard
        self._expected -= settled
        if not is_first:
            self._expected |= unheard
        if self._repeats:
            self._repeats = False
            found = Differences(self._all_peers(), found.removed)
        return Changes(before, found, moved)

    def _all_peers(self) -> tuple[PeerState, ...]:
        """Return all peers; those that were heard at their endpoints before count as heard."""
        return tuple(
            peer_state(key, peer, is_heard=key not in self._unconfirmed) for key, peer in self.snapshot.items()
        )

    def stop_expecting(self) -> set[Endpoint | None]:
        """Expect nothing any more, and return the endpoints at which peers did not show up in time."""
        endpoints = {peer_state(key, self.snapshot[key]).endpoint for key in self._expected}
        self._expected.clear()
        return endpoints

    def confirmed(self, found: Differences) -> Differences:
        """Return the same differences without the peers that are unconfirmed."""
        changed = tuple(peer for peer in found.changed if peer.key.raw not in self._unconfirmed)
        return Differences(changed, found.removed)


def _has_moved(before: Snapshot, after: Snapshot, peer: PeerState) -> bool:
    key = peer.key.raw
    return key not in before or before[key].endpoint != after[key].endpoint
