"""A real mosquitto on loopback, as a child process of the test."""

import contextlib
import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from lab.testbed.events import PATIENCE_S

_RUNNING = re.compile(r"^\d+: mosquitto version \S+ running$", re.MULTILINE)
_PORTS = range(10_000, 32_768)


def free_port() -> int:
    """Return a free TCP port of 127.0.0.1 that the kernel gives to no outgoing connection (ip_local_port_range)."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port in {_PORTS}")


@dataclass(slots=True)
class Broker:
    """mosquitto on 127.0.0.1, without accounts and without a database; it can be stopped and started again.

    `options` are further lines of mosquitto.conf(5), for its listener or with further listeners.
    """

    directory: Path
    options: str = ""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it accepts connections on every listener.

        A listener is open before mosquitto runs, but the next one may not be; its log says when all of them are.
        """
        settings = self.directory / "mosquitto.conf"
        settings.write_text(
            f"user root\npersistence false\nset_tcp_nodelay true\n"
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n{self.options}\n"
        )
        with (self.directory / "mosquitto.log").open("ab") as log:
            start = log.tell()
            self._process = subprocess.Popen(["mosquitto", "-c", str(settings), "-v"], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while not _RUNNING.search(self.log()[start:]):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"mosquitto did not start: {self.log()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        """Return its log."""
        return (self.directory / "mosquitto.log").read_text()


@contextmanager
def running_broker(directory: Path, options: str = "") -> Iterator[Broker]:
    """Give a running broker; `options` as in `Broker`."""
    broker = Broker(directory, options)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class Witness:
    """A client that subscribes to all topics and can publish: the other end of what a test examines."""

    def __init__(self, port: int) -> None:
        self._received: SimpleQueue[tuple[str, bytes, bool]] = SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"witness-{time.monotonic_ns()}")
        self._client.on_message = self._on_message
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("#", 1)
        if not subscribed.wait(PATIENCE_S):
            raise TimeoutError("the broker did not acknowledge the subscription")

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the broker's acknowledgement."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE_S)

    def flood(self, topic: str, payloads: Iterable[bytes]) -> None:
        """Publish all payloads at QoS 0, retained, without a pause; return when the broker has received the last."""
        for payload in payloads:
            self._client.publish(topic, payload, 0, retain=True)
        self.publish(f"{topic}/end", b"")

    def next_message(self, timeout_s: float = PATIENCE_S) -> tuple[str, bytes, bool]:
        """Return topic, payload and retain flag of the next message."""
        try:
            return self._received.get(timeout=timeout_s)
        except Empty:
            raise TimeoutError("the witness received no message") from None

    def is_connected(self) -> bool:
        """Return whether the broker has accepted it and not ended the connection."""
        return self._client.is_connected()

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._received.put((message.topic, bytes(message.payload), message.retain))
