"""The nftables file for the broker's port: one address can neither hold many connections nor open them in a loop."""

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.network.netns import Namespace, Rack
from lab.network.shell import LabError

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(shutil.which("nft") is None, reason="no nft"),
]

RULES = Path(__file__).parents[2] / "packaging" / "nftables" / "wgmqtt-broker.nft"
SERVE = """
import socket
server, held = socket.create_server(("10.9.0.1", 1883), backlog=200), []
while True:
    held.append(server.accept())
"""
CONNECT = """
import socket, sys
source, number, closes = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "close"
held, made = [], 0
for _ in range(number):
    try:
        held.append(socket.create_connection(("10.9.0.1", 1883), 0.3, (source, 0)))
        made += 1
    except OSError:
        pass
    if closes and held:
        held.pop().close()
print(made)
"""


def connect(router: Namespace, source: str, number: int, then: str) -> int:
    """Return how many of so many connections succeed; `then` is hold or close."""
    return int(router.run(sys.executable, "-c", CONNECT, source, str(number), then))


@pytest.fixture
def router() -> Iterator[Namespace]:
    """Give a machine with three addresses, whose hub has the rules and a server on the broker's port."""
    with Rack() as rack:
        hub, made = rack.namespace("hub"), rack.namespace("router")
        hub.ip(
            f"link add wg0 type veth peer name wg0 netns {made.name}", "link set wg0 up", "addr add 10.9.0.1/24 dev wg0"
        )
        made.ip("link set wg0 up", *(f"addr add 10.9.0.{number}/24 dev wg0" for number in (2, 3, 4)))
        hub.run("nft", "-f", str(RULES))
        hub.start(sys.executable, "-c", SERVE)
        deadline = time.monotonic() + 20.0
        while connect(made, "10.9.0.4", 1, "hold") == 0:
            if time.monotonic() > deadline:
                raise LabError
        yield made


def test_connections_of_one_address_are_limited_and_another_address_connects(router: Namespace) -> None:
    assert connect(router, "10.9.0.2", 20, "hold") == 8
    assert connect(router, "10.9.0.3", 1, "hold") == 1


def test_connections_in_a_loop_are_limited_and_another_address_connects(router: Namespace) -> None:
    assert 8 <= connect(router, "10.9.0.2", 60, "close") <= 45
    assert connect(router, "10.9.0.3", 1, "hold") == 1
