"""What the engine knows: one mutable record per router and per link, and what is pending."""

import math
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

from wgmqtt.engine.deadlines import Deadlines
from wgmqtt.engine.directory import Directory
from wgmqtt.model import Endpoint, Link, PeerState, PublicKey, Router
from wgmqtt.wire.report import Report
from wgmqtt.wire.table import Table

Phase = Literal["closed", "opening", "reading", "asking", "ready"]
"""How far the connection to the broker is; `wgmqtt.engine.session` has the transitions."""


class Trouble(Enum):
    """A condition of the daemon that is warned of once, when it begins."""

    HINTS = auto()
    LOGIN = auto()
    FILES = auto()
    RIVAL = auto()


@dataclass(slots=True)
class Session:
    """The connection to the broker. Only `wgmqtt.engine.session` changes it."""

    phase: Phase = "closed"
    generation: int = 0
    deadline_s: float = 0.0
    """When to connect (closed), when the connection counts as stable (ready), or when to stop waiting (others)."""
    failures: int = 0
    asked: str = ""
    """The instance that was asked whether it is alive: without an answer it counts as dead."""
    reread_s: float = math.inf
    """When to read back once more, because another daemon may have published."""


@dataclass(frozen=True, slots=True)
class Damping:
    """The back-off of a peer's announcements. Monotonic seconds."""

    level: int
    released_s: float
    open_s: float
    """When the next change may be announced."""
    tokens: float


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports at which a peer was seen at its current address, each with the last time (monotonic seconds)."""

    address: str
    seen: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Configured:
    """The endpoint that a router reported for a peer, and when it had to set it again (monotonic seconds)."""

    endpoint: Endpoint | None = None
    rewritten_s: tuple[float, ...] = ()


@dataclass(slots=True)
class RouterRecord:
    """Everything known of one router. Parts that most routers never need are None until they do."""

    router: Router
    interface: str = ""
    """The hub's interface at which its peer was seen."""
    peer: PeerState | None = None
    since_s: float = 0.0
    """When the hub first saw the peer at its current endpoint, in monotonic seconds."""
    released: Endpoint | None = None
    """The newest endpoint that flap damping has let through."""
    announced: Endpoint | None = None
    """The endpoint that others learn: `released`, if it may be published."""
    damping: Damping | None = None
    ports: Ports | None = None
    addresses: tuple[tuple[str, float], ...] = ()
    """The newest changes of the peer's address, each with its time (monotonic seconds)."""

    retained: Table | None = None
    """The table that the broker retains, as far as known."""
    in_flight: Table | None = None
    """The table that the broker has not acknowledged yet."""
    is_owed: bool = False
    """A table must be published although its content does not differ: the router is asked to act or to report."""
    published_s: float | None = None
    """When the newest table was published, in monotonic seconds."""

    report: Report | None = None
    reported_s: float | None = None
    """When the newest report came, in Unix time."""
    applied_ms: float | None = None
    """From the publishing of the newest answered table to its report."""
    is_report_malformed: bool = False
    configured: dict[PublicKey, Configured] | None = None

    healing: Damping | None = None
    """The back-off of replacing a table that another client overwrote."""
    unanswered_s: float | None = None
    """Since when the router owes a report, in monotonic seconds."""
    reset_s: float | None = None
    """When its connection was last reset, in monotonic seconds."""

    @property
    def last_seq(self) -> int | None:
        """Return the `seq` of the newest table published to this router."""
        newest = self.in_flight or self.retained
        return newest.seq if newest else None


Verdict = Literal["unknown", "proven", "failed"]
"""What one end of a link has reported since both were last asked to send."""


@dataclass(slots=True)
class LinkRecord:
    """Everything known of one link. Monotonic seconds, but for `direct_since_s` (Unix time), which is published."""

    first: Verdict = "unknown"
    second: Verdict = "unknown"
    direct_since_s: float | None = None
    kicked_s: float = -math.inf
    """When both ends were last asked to send."""
    kick_until_s: float = -math.inf
    """Until when their tables ask them to."""
    proven_ms: float | None = None
    """From the last kick until both ends had proved the path."""
    attempts: int = 0
    """How many attempts failed since an end moved."""
    losses: int = 0
    """How many requests to send were lost with the connection since both ends last reported."""

    @property
    def is_direct(self) -> bool:
        """Return whether both ends have proved the path, and neither has reported a failure since."""
        return self.direct_since_s is not None

    @property
    def is_contradictory(self) -> bool:
        """Return whether one end receives and the other reports that it does not."""
        return {self.first, self.second} == {"proven", "failed"}


@dataclass(slots=True)
class State:
    """All that the engine knows."""

    directory: Directory
    instance: str
    """A random name of this process, by which two daemons with one hub name tell each other apart."""
    script: str = ""
    """Version and hash of the current router script."""
    is_dry: bool = False
    is_frozen: bool = False
    routers: dict[str, RouterRecord] = field(default_factory=dict)
    links: dict[Link, LinkRecord] = field(default_factory=dict)
    """Only links that were kicked or reported on."""
    session: Session = field(default_factory=Session)
    troubles: set[Trouble] = field(default_factory=set)
    failed_interfaces: set[str] = field(default_factory=set)
    are_hints_active: bool | None = None
    """None until the kernel has accepted or refused them."""
    rejected_s: dict[str, float] = field(default_factory=dict)
    """Addresses of packets that WireGuard rejected, each with the last time (monotonic seconds)."""

    damped: Deadlines[str] = field(default_factory=Deadlines)
    """Routers whose newest endpoint waits for flap damping."""
    spaced: Deadlines[str] = field(default_factory=Deadlines)
    """Routers whose next table waits, because the last one is not answered yet."""
    stale: Deadlines[str] = field(default_factory=Deadlines)
    """Routers that are alive and owe a report, with the time at which their connection counts as stale."""
    retries: Deadlines[Link] = field(default_factory=Deadlines)
    """Links whose last attempt failed, with the time of the next one."""
    overwritten: Deadlines[str] = field(default_factory=Deadlines)
    """Routers whose overwritten table is replaced later."""
    suspended: Deadlines[str] = field(default_factory=Deadlines)
    """Routers with a suspended peer, with the time at which the first suspension ends."""
    awaited: set[bytes] = field(default_factory=set)
    """Keys of routers that owe a report, and whose next sign of life sets a deadline in `stale`."""

    in_flight_s: dict[str, float] = field(default_factory=dict)
    """Routers whose table is not acknowledged yet, in the order of publishing, each with its time (monotonic)."""
    acked_s: float = -math.inf
    """When the broker last acknowledged a table, in monotonic seconds."""
    queue: dict[str, None] = field(default_factory=dict)
    """Routers whose table is published when fewer others are in flight; a dict, because it is an ordered set."""
    last_seq: int = 0
    has_report: bool = False
    """Whether any router has ever reported to this process."""
    status_s: float = 0.0
    """When the status is published next, in monotonic seconds."""
    report_poll_s: float | None = None
    """When the next router is asked for a report, in monotonic seconds."""
    report_poll_turn: int = 0
    gone: tuple[str, ...] = ()
    """Routers that are no longer configured and whose topics are not cleared yet."""

    @property
    def can_publish(self) -> bool:
        """Return whether tables may be published now."""
        return self.session.phase == "ready" and not self.is_frozen

    def record_of(self, key: PublicKey) -> RouterRecord | None:
        """Return the record of the router with this key, or None for a peer that is not a configured router."""
        router = self.directory.by_key.get(key)
        return self.routers[router.name] if router else None

    def link(self, link: Link) -> LinkRecord:
        """Return the record of a link, which is made if need be."""
        record = self.links.get(link)
        if record is None:
            record = self.links[link] = LinkRecord()
        return record
