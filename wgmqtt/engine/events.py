"""What can happen: data only. Pure.

An event of the broker carries the generation of its connection; one of an older generation changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wgmqtt.model import Config, Endpoint, PublicKey, Sighting


@dataclass(frozen=True, slots=True)
class Now:
    """The time of an event: `mono_s` for durations, `wall_s` (Unix time) for what leaves the process."""

    mono_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class PeersSeen:
    """WireGuard was asked, and this is what differs from the last time."""

    interface: str
    changed: tuple[Sighting, ...]
    removed: tuple[PublicKey, ...] = ()
    alive: tuple[PublicKey, ...] = ()
    """Of those whose answer is awaited: peers that sent something since the last time."""


@dataclass(frozen=True, slots=True)
class InterfaceFailed:
    """WireGuard could not be asked. `reason` is text for a person."""

    interface: str
    reason: str


@dataclass(frozen=True, slots=True)
class PacketsRefused:
    """Packets came from these places, and nothing that WireGuard shows has changed by them."""

    interface: str
    sources: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class HintsWork:
    """The kernel reports packets from endpoints that are not known yet: `table` of nftables, `group` of NFLOG.

    `is_owned`: nobody else can remove the table.
    """

    table: str
    group: int
    is_owned: bool


@dataclass(frozen=True, slots=True)
class HintsFailed:
    """There are no hints for now: WireGuard is only asked at intervals. `reason` is text for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class BrokerUp:
    """The broker accepted the connection."""

    generation: int


Cause = Literal["connection", "login", "files"]
"""What keeps the broker away: the way to it, its refusal of the user, or a secret or certificate that is unreadable."""


@dataclass(frozen=True, slots=True)
class BrokerDown:
    """The connection failed or ended; there will be no other event of this generation."""

    generation: int
    reason: str
    cause: Cause = "connection"


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Everything that the broker retains on the topics that were asked for: topic to payload."""

    generation: int
    retained: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Acked:
    """The broker has taken the table `seq` of `router`."""

    generation: int
    router: str
    seq: int


@dataclass(frozen=True, slots=True)
class Reported:
    """A message on a router's report topic, unchecked."""

    generation: int
    router: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class HubHeard:
    """A message on a topic of the hub's own: from this daemon, or from another one of the same name."""

    generation: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Freezing:
    """A person wants nothing to be published (or wants it again)."""

    is_frozen: bool


@dataclass(frozen=True, slots=True)
class Woken:
    """The time that the engine asked to be woken at has come."""


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """A new configuration, checked."""

    config: Config


OfBroker = BrokerUp | BrokerDown | ReadBack | Acked | Reported | HubHeard
Event = (
    PeersSeen | InterfaceFailed | PacketsRefused | HintsWork | HintsFailed | OfBroker | Freezing | Woken | Reconfigured
)
