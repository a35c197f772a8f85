"""Sites and brokers for the tests of the emulator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.loopback_broker import Broker, Witness, running_broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Give a mosquitto on loopback."""
    with running_broker(tmp_path) as running:
        yield running


@pytest.fixture
def witness(broker: Broker) -> Iterator[Witness]:
    """Give a client that hears every topic."""
    other = Witness(broker.port)
    yield other
    other.close()
