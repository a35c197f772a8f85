"""`wgmqtt web` as a process of its own on loopback, with a real mosquitto; the test plays the hub."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from lab.network.netns import PROJECT
from lab.testbed.loopback_broker import Broker, Witness, free_port
from lab.testbed.standalone_hub import key_of
from wgmqtt.logline import Say
from wgmqtt.wire.hub import HubStatus, Online, encode_event, encode_online, encode_status
from wgmqtt.wire.topics import Topics

TOPICS = Topics("wgmqtt/v1", "hub1")
PATIENCE_S = 60.0  # only a hang should end a wait
TWO = ("amsterdam", "berlin")


class WebServer:
    """The process, its broker, and a hand that publishes for the hub."""

    def __init__(
        self, directory: Path, settings: Mapping[str, object] | None = None, routers: Sequence[str] = TWO
    ) -> None:
        self.directory = directory
        self._routers = routers
        self.broker = Broker(directory)
        self.broker.start()
        self.port = free_port()
        self.config = directory / "config.yaml"
        self.log = directory / "web.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._hub: Witness | None = None
        secret = directory / "web.password"
        secret.touch(mode=0o600)
        secret.write_text("nobody checks it here\n")
        web = {"listen": f"127.0.0.1:{self.port}", "names": ["status.example.net"]}
        self.write_config({"web": web} | dict(settings or {}))

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def write_config(self, settings: Mapping[str, object]) -> None:
        """Write the configuration, with `settings` laid over its top level."""
        hub = {"name": "hub1", "interfaces": ["wg0"], "public_key": key_of("the hub"), "tunnel_address": "10.99.0.1"}
        broker = {
            "host": "127.0.0.1",
            "port": self.broker.port,
            "username": "hub",
            "password_file": str(self.directory / "hub.password"),
            "for_routers": {"host": "10.99.0.1"},
        }
        routers = {
            name: {
                "public_key": key_of(name),
                "routeros": "7.20",
                "interface": "wg",
                "ping": f"10.98.{number // 250}.{number % 250 + 2}",
            }
            for number, name in enumerate(self._routers)
        }
        content = {"hub": hub, "broker": broker, "secrets_dir": str(self.directory), "routers": routers, "links": []}
        self.config.write_text(yaml.safe_dump(content | dict(settings), sort_keys=False))

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        assert self.process is not None, "not started"
        return self.process.pid

    def start(self, patience_s: float = PATIENCE_S) -> None:
        """Start the process, and return when it serves and follows the broker."""
        command = [sys.executable, "-m", "wgmqtt", "web", "-c", str(self.config)]
        before = self.lines().count("status page connected to the broker hub=hub1")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=PROJECT, stderr=log)
        self.wait_for_line("status page ready", patience_s=patience_s)
        self.wait_for_line("status page connected to the broker", before + 1, patience_s=patience_s)

    def stop(self) -> int:
        """End the process as systemd does, and return its exit status."""
        assert self.process is not None, "not started"
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def lines(self) -> list[str]:
        """Return the lines of its log, without their times."""
        text = self.log.read_text() if self.log.exists() else ""
        return [line.partition(" ")[2].partition(" ")[2] for line in text.splitlines()]

    def wait_for_line(self, phrase: str, count: int = 1, patience_s: float = PATIENCE_S) -> None:
        """Return when its log has `count` lines that begin so."""
        deadline = time.monotonic() + patience_s
        while sum(line.startswith(phrase) for line in self.lines()) < count:
            if time.monotonic() > deadline or (self.process is not None and self.process.poll() is not None):
                raise TimeoutError(f"{phrase!r} is not in the log:\n" + self.log.read_text())
            time.sleep(0.02)

    @property
    def hub(self) -> Witness:
        """Return the client that publishes for the hub; a new one if the broker was restarted."""
        if self._hub is not None and not self._hub.is_connected():
            self._hub.close()
            self._hub = None
        if self._hub is None:
            self._hub = Witness(self.broker.port)
        return self._hub

    def publish(self, status: HubStatus, *, is_online: bool = True) -> None:
        """Publish a status, and whether the daemon is online; both are retained."""
        self.hub.publish(TOPICS.hub_online, encode_online(Online(is_online, status.instance)), retain=True)
        self.hub.publish(TOPICS.hub_status, encode_status(status, status.routers, status.links), retain=True)

    def publish_line(self, line: Say, at_s: float) -> None:
        """Publish one line of the daemon's log."""
        self.hub.publish(TOPICS.hub_events, encode_event(line, at_s))

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (names in lower case) and body of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body

    def close(self) -> None:
        """End everything."""
        if self._hub is not None:
            self._hub.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.broker.stop()


@contextmanager
def running_web(
    directory: Path, settings: Mapping[str, object] | None = None, routers: Sequence[str] = TWO
) -> Iterator[WebServer]:
    """Give a server that runs, with these routers in its configuration."""
    server = WebServer(directory, settings, routers)
    try:
        server.start()
        yield server
    finally:
        server.close()
