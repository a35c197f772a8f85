"""A real mosquitto on loopback, as a child process of the test. Edge: starts and ends it."""

import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

_START_S = 5.0


def free_port() -> int:
    """Return a TCP port of loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(slots=True)
class Broker:
    """mosquitto on 127.0.0.1, without accounts and without a database; may be stopped and started again.

    `options` are further lines of mosquitto.conf(5) for its listener.
    """

    directory: Path
    options: str = ""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        settings = self.directory / "mosquitto.conf"
        settings.write_text(
            f"user root\npersistence false\nset_tcp_nodelay true\n"
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n{self.options}\n"
        )
        with (self.directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(["mosquitto", "-c", str(settings), "-v"], stdout=log, stderr=log)
        given_up = time.monotonic() + _START_S
        while time.monotonic() < given_up:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise TimeoutError(f"mosquitto did not start: {self.log()}")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        """Return what it has logged."""
        return (self.directory / "mosquitto.log").read_text()


@contextmanager
def running_broker(directory: Path, options: str = "") -> Iterator[Broker]:
    """Give a broker that runs; `options` as in `Broker`."""
    broker = Broker(directory, options)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class Witness:
    """A client that hears every topic and may publish: the other end of what a test looks at."""

    def __init__(self, port: int) -> None:
        self.heard: SimpleQueue[tuple[str, bytes, bool]] = SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"witness-{time.monotonic_ns()}")
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("#", 1)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the broker."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(5)

    def flood(self, topic: str, payloads: Iterable[bytes]) -> None:
        """Publish all of these at QoS 0, retained, as fast as it goes; return when the broker has taken the last."""
        for payload in payloads:
            self._client.publish(topic, payload, 0, retain=True)
        self.publish(f"{topic}/end", b"")

    def next_message(self, timeout_s: float = 5.0) -> tuple[str, bytes, bool]:
        """Return topic, payload and retain flag of the next message."""
        try:
            return self.heard.get(timeout=timeout_s)
        except Empty:
            raise TimeoutError("the witness heard nothing") from None

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.heard.put((message.topic, bytes(message.payload), message.retain))
