"""What a router needs around it: a clock, a WireGuard device, a ping, connections to brokers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from lab.routeros.language.values import Value
from lab.routeros.menus.device import Device
from lab.routeros.menus.ping import Probe
from lab.routeros.mqtt.link import MakeLink


class Clock(Protocol):
    """Read the time, wait, and start threads."""

    def now_ns(self) -> int:
        """Return Unix time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def start(self, work: Callable[[], None], name: str) -> None:
        """Run `work` in a thread of its own."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the menus and scripts of one router reach; `addresses` returns prefix and interface of each IPv4 address."""

    clock: Clock
    device: Device
    probe: Probe
    make_link: MakeLink
    addresses: Callable[[], Iterable[tuple[Value, str]]]
