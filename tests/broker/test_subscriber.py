"""What `status` and `events` say about a broker that does not serve them: each cause in its own words."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from wgmqtt.broker.connection import Login
from wgmqtt.broker.subscriber import read_events, read_view
from wgmqtt.errors import EdgeError
from wgmqtt.model import BrokerAddress
from wgmqtt.wire.topics import Topics

pytestmark = pytest.mark.process

TOPICS = Topics("wgmqtt/v1", "hub1")
REJECTED = b"\x20\x02\x00\x05"  # CONNACK, not authorized. Source: MQTT 3.1.1, section 3.2.2.3


@contextmanager
def server(answer: bytes | None) -> Iterator[Login]:
    """Give the login at a server that reads one packet, then answers this, or is silent, or closes (empty)."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                if answer:
                    connection.sendall(answer)
                if answer is None or answer:
                    done.wait(60)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Login(BrokerAddress("127.0.0.1", listening.getsockname()[1]), "t", "viewer", "secret", "", b"")
        done.set()


@pytest.mark.parametrize("reader", [read_view, read_events])
@pytest.mark.parametrize(
    ("answer", "what", "hint"),
    [
        (REJECTED, "the broker rejected the user viewer", "check its password file"),
        (None, "no answer from the broker within 5 s", "no firewall drops this connection"),
        (b"", "the broker closed the connection before it answered", "check that this port speaks MQTT"),
    ],
    ids=["rejects", "silent", "closes"],
)
def test_viewer_without_a_broker_is_told_the_cause_and_what_to_check(
    reader: object, answer: bytes | None, what: str, hint: str
) -> None:
    assert callable(reader)
    with server(answer) as login, pytest.raises(EdgeError) as raised:
        next(iter(reader(login, TOPICS)))
    problem = raised.value.problems[0]
    assert problem.what == what
    assert hint in problem.hint
    assert problem.where == f"127.0.0.1:{login.address.port}"
