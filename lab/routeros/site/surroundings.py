"""What a router stands on: a clock, a WireGuard device, a ping, links to brokers. Edge: the real ones.

The real ones belong to the site's network namespace. lab/routeros/models/router.py has others, in memory.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Thread
from typing import Protocol

from lab.routeros.language.values import Value
from lab.routeros.menus.ping import Probe, ping_for_real
from lab.routeros.menus.system import read_ip_addresses
from lab.routeros.menus.wg_device import Device, WgDevice
from lab.routeros.mqtt.link import Link, MakeLink


class Clock(Protocol):
    """Tells and spends time, and starts what runs beside the caller."""

    def now_ns(self) -> int:
        """Return Unix time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def start(self, work: Callable[[], None], name: str) -> None:
        """Run `work` in a thread of its own."""
        ...


class RealClock:
    """The machine's clock and threads."""

    def now_ns(self) -> int:
        """Return Unix time."""
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def start(self, work: Callable[[], None], name: str) -> None:
        """Run `work` in a daemon thread."""
        Thread(target=work, name=name, daemon=True).start()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the menus and scripts of one router reach. `addresses` gives prefix and interface of each IPv4 address."""

    clock: Clock
    device: Device
    probe: Probe
    make_link: MakeLink
    addresses: Callable[[], Iterable[tuple[Value, str]]]


def real_surroundings(interface: str) -> Surroundings:
    """Return those of the network namespace that the process runs in."""
    return Surroundings(RealClock(), WgDevice(interface), ping_for_real, Link, read_ip_addresses)
