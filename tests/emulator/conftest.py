"""Sites and brokers for the tests of the emulator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.network.netns import Rack
from lab.testbed.loopback_broker import Broker, Witness, running_broker
from tests.emulator.site.site_process import HUB_TEXT, Machine, SiteProcess, Start


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Yield a mosquitto on loopback."""
    with running_broker(tmp_path) as running:
        yield running


@pytest.fixture
def witness(broker: Broker) -> Iterator[Witness]:
    """Yield a client that receives every topic."""
    other = Witness(broker.port)
    yield other
    other.close()


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """Yield a namespace with a WireGuard device and a broker."""
    with Rack() as rack:
        yield Machine(rack)


@pytest.fixture
def start(machine: Machine) -> Iterator[Start]:
    """Yield a function that starts a site; all sites end with the test, and the hub's peer is restored."""
    started: list[SiteProcess] = []

    def start_one(version: str = "7.20.8", *switches: str) -> SiteProcess:
        started.append(SiteProcess(machine, version, switches))
        return started[-1]

    yield start_one
    for site in started:
        site.child.stop()
    machine.device.set_endpoint(machine.hub.public, HUB_TEXT)
