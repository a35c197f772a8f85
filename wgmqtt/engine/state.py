"""What is known: data only. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from wgmqtt.engine.directory import Roster
from wgmqtt.model import Endpoint, Link, PublicKey, Sighting
from wgmqtt.wire.report import Report
from wgmqtt.wire.table import Table

Phase = Literal["closed", "opening", "reading", "asking", "ready"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one interface says of one router's peer. `since_s`: monotonic time at which this endpoint was first seen."""

    interface: str
    sighting: Sighting
    since_s: float


@dataclass(frozen=True, slots=True)
class Session:
    """The connection to the broker. `deadline_s`: when to try again (closed), or when to go on (others)."""

    phase: Phase = "closed"
    generation: int = 0
    deadline_s: float = 0.0
    failures: int = 0
    asked: str = ""
    """The other daemon that was asked whether it is alive; its silence makes its word void."""
    again_s: float = math.inf
    """When to read back once more, because another daemon may have published."""


@dataclass(frozen=True, slots=True)
class Damper:
    """What others are told of one peer, and when the next change may be told. Monotonic seconds."""

    told: Endpoint | None = None
    level: int = 0
    released_s: float = -math.inf
    open_s: float = -math.inf
    tokens: float = 0.0


@dataclass(frozen=True, slots=True)
class Ports:
    """At which ports of its present address a peer was seen, and when last (monotonic seconds)."""

    address: str
    seen: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a router last said that one peer is set to, and when it had to set that anew (monotonic seconds)."""

    configured: Endpoint | None = None
    rewritten_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkView:
    """What is known of one link. Monotonic seconds, but for `direct_since_s` (Unix time), which leaves the process."""

    direct_since_s: float | None = None
    kicked_s: float = -math.inf
    proven_s: float = -math.inf
    retry_s: float = math.inf
    proven_ms: float | None = None
    """From the last kick to its proof."""
    tries: int = 0
    """How often it was tried in vain since an end moved."""

    @property
    def is_direct(self) -> bool:
        """Return whether the last proof was not followed by a failure."""
        return self.direct_since_s is not None


@dataclass(frozen=True, slots=True)
class Outbox:
    """One router's table: what the broker retains as far as known, and what is on its way there."""

    retained: Table | None = None
    in_flight: Table | None = None
    owed: bool = False
    """A table must go out although nothing in it differs: the other end of a link was told to act."""


@dataclass(frozen=True, slots=True)
class State:
    """All that the engine knows. Every field is a value; a step makes a new one."""

    roster: Roster
    instance: str
    """Made anew by each process: two daemons of one hub name know each other by it."""
    script: str = ""
    """Version and hash of the present router script."""
    is_dry: bool = False
    """Nothing is published; what would be is said."""
    is_frozen: bool = False
    """A person stopped all publishing."""
    held: Mapping[str, bytes] = field(default_factory=dict)
    """What was just read back."""
    seen: Mapping[PublicKey, Seen] = field(default_factory=dict)
    dampers: Mapping[PublicKey, Damper] = field(default_factory=dict)
    paused_s: Mapping[PublicKey, float] = field(default_factory=dict)
    """Peers whose newest endpoint is not told yet, and the monotonic time at which it is."""
    ports: Mapping[PublicKey, Ports] = field(default_factory=dict)
    kept: Mapping[str, Mapping[PublicKey, Kept]] = field(default_factory=dict)
    refused_s: Mapping[str, float] = field(default_factory=dict)
    """Addresses from which packets came that WireGuard did not take, and when last."""
    spaced_s: Mapping[str, float] = field(default_factory=dict)
    """Routers whose next table has to wait, and until when."""
    session: Session = field(default_factory=Session)
    outboxes: Mapping[str, Outbox] = field(default_factory=dict)
    sent_s: Mapping[str, float] = field(default_factory=dict)
    """Router to the monotonic time at which the table now in flight left."""
    queued: tuple[str, ...] = ()
    """Routers whose table leaves when fewer others are on their way."""
    acked_s: float = -math.inf
    """When the broker last acknowledged a table, in monotonic seconds."""
    published_s: Mapping[str, float] = field(default_factory=dict)
    """Router to the monotonic time at which its newest table left; for latencies."""
    kicks: Mapping[Link, float] = field(default_factory=dict)
    """Link to the monotonic time until which both ends are asked for traffic."""
    links: Mapping[Link, LinkView] = field(default_factory=dict)
    retry_s: float = math.inf
    """No link is tried again before this monotonic time: nothing has to look through all of them at each step."""
    gone: tuple[str, ...] = ()
    """Routers that are not configured any more and whose topics are still there."""
    heard_s: Mapping[str, float] = field(default_factory=dict)
    """Router to the Unix time of its newest report."""
    applied_ms: Mapping[str, float] = field(default_factory=dict)
    """Router to the milliseconds between its newest table and the word that it is applied."""
    view_s: float = 0.0
    """When the hub's view is published next, in monotonic seconds."""
    unanswered_s: Mapping[str, float] = field(default_factory=dict)
    """Routers that owe an answer, and the monotonic time at which they were asked."""
    late_s: Mapping[str, float] = field(default_factory=dict)
    """Those of them that showed a sign of life, and when they count as late."""
    broken_s: Mapping[str, float] = field(default_factory=dict)
    """Routers whose session was broken last at this monotonic time."""
    refresh_s: float | None = None
    refresh_turn: int = 0
    last_seq: int = 0
    reports: Mapping[str, Report] = field(default_factory=dict)
    troubles: frozenset[str] = frozenset()
    """What a warning was given for, so that it is given once: `interface wg0`, `report of berlin`."""

    def last_seq_of(self, name: str) -> int | None:
        """Return the `seq` of the newest table sent to a router."""
        box = self.outboxes.get(name, Outbox())
        newest = box.in_flight or box.retained
        return newest.seq if newest else None


def unreadable(name: str) -> str:
    """Return the trouble of a router whose report cannot be read."""
    return f"report of {name}"
