"""What can happen: the inputs of the engine.

An event of the broker carries the generation of its connection; one of an older generation changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wgmqtt.model import Config, Endpoint, PeerState, PublicKey


@dataclass(frozen=True, slots=True)
class Now:
    """The time of an event: `mono_s` for durations, `wall_s` (Unix time) for what leaves the process."""

    mono_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class PeersPolled:
    """An interface was polled; `changed` and `removed` are the differences from the poll before."""

    interface: str
    changed: tuple[PeerState, ...]
    removed: tuple[PublicKey, ...] = ()
    alive: tuple[PublicKey, ...] = ()
    """Those of the awaited peers whose receive counter grew since the poll before."""


@dataclass(frozen=True, slots=True)
class InterfaceFailed:
    """An interface could not be polled. `reason` is text for a person."""

    interface: str
    reason: str


@dataclass(frozen=True, slots=True)
class PacketsRejected:
    """Packets came from these endpoints, and no peer of WireGuard changed after them."""

    interface: str
    sources: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class HintsActive:
    """The kernel reports packets from unknown endpoints: `table` of nftables, `group` of NFLOG.

    `is_owned`: no other process can remove the table.
    """

    table: str
    group: int
    is_owned: bool


@dataclass(frozen=True, slots=True)
class HintsUnavailable:
    """There are no hints for now, so WireGuard is polled at intervals only. `reason` is text for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class BrokerUp:
    """The broker accepted the connection."""

    generation: int


Cause = Literal["connection", "login", "files"]
"""Why there is no connection: the network, a rejected login, or an unreadable secret or certificate."""


@dataclass(frozen=True, slots=True)
class BrokerDown:
    """The connection failed or ended; no other event of this generation follows."""

    generation: int
    reason: str
    cause: Cause = "connection"


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Everything that the broker retains on the topics of a `ReadRetained`: topic to payload."""

    generation: int
    retained: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Acked:
    """The broker acknowledged the table `seq` of `router`."""

    generation: int
    router: str
    seq: int


@dataclass(frozen=True, slots=True)
class TableOverwritten:
    """Another client published on the topic of a router's table, or cleared it."""

    generation: int
    router: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A message on a router's report topic, unchecked."""

    generation: int
    router: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class HubMessage:
    """A message on a topic of the hub: from this daemon, or from another one with the same hub name."""

    generation: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class FreezeChecked:
    """Whether the freeze file exists, which stops all publishing."""

    is_frozen: bool


@dataclass(frozen=True, slots=True)
class Woken:
    """The deadline of the last `WakeAt` has passed."""


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """A new, valid configuration."""

    config: Config


WatchEvent = PeersPolled | InterfaceFailed | PacketsRejected | HintsActive | HintsUnavailable
BrokerEvent = BrokerUp | BrokerDown | ReadBack | Acked | TableOverwritten | Reported | HubMessage
ProcessEvent = FreezeChecked | Woken | Reconfigured
Event = WatchEvent | BrokerEvent | ProcessEvent
