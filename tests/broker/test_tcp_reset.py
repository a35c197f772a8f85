"""Connections of one address are reset and others are not. Real sockets on loopback; needs root."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from wgmqtt.broker.tcp_reset import reset_connections
from wgmqtt.errors import EdgeError

ONE, OTHER = "127.0.0.2", "127.0.0.3"
Pair = tuple[socket.socket, socket.socket]

pytestmark = pytest.mark.lab


class Listener:
    """A server that the test connects to."""

    def __init__(self, stack: ExitStack, family: socket.AddressFamily, address: str) -> None:
        self._stack = stack
        self._socket = stack.enter_context(socket.socket(family))
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._socket.bind((address, 0))
        self._socket.listen()
        self.port: int = self._socket.getsockname()[1]

    def connect(self, source: str, target: str = "127.0.0.1") -> Pair:
        """Return both ends of a connection from this source."""
        client = self._stack.enter_context(socket.create_connection((target, self.port), 2.0, (source, 0)))
        server = self._stack.enter_context(self._socket.accept()[0])
        for each in (client, server):
            each.settimeout(2.0)
        return client, server


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")], ids=["IPv4", "dual stack"]
)
def test_connections_of_one_address_are_reset_and_others_live(
    stack: ExitStack, family: socket.AddressFamily, address: str
) -> None:
    listener = Listener(stack, family, address)
    ended = listener.connect(ONE)
    living = listener.connect(OTHER)
    elsewhere = Listener(stack, family, address).connect(ONE)
    assert reset_connections(listener.port, ONE) == 1
    for end in ended:
        with pytest.raises(ConnectionError):
            end.recv(1)
    for client, server in (living, elsewhere):
        client.send(b"x")
        assert server.recv(1) == b"x"


def test_connection_of_an_ipv6_address_is_reset(stack: ExitStack) -> None:
    listener = Listener(stack, socket.AF_INET6, "::1")
    client, _ = listener.connect("::1", "::1")
    assert reset_connections(listener.port, "::1") == 1
    with pytest.raises(ConnectionError):
        client.recv(1)


def test_no_connection_to_reset_is_no_error(stack: ExitStack) -> None:
    assert reset_connections(Listener(stack, socket.AF_INET, "127.0.0.1").port, ONE) == 0


def test_reset_without_the_capability_raises(stack: ExitStack) -> None:
    listener = Listener(stack, socket.AF_INET, "127.0.0.1")
    listener.connect(ONE)
    os.seteuid(65534)
    try:
        with pytest.raises(EdgeError, match="Operation not permitted"):
            reset_connections(listener.port, ONE)
    finally:
        os.seteuid(0)
