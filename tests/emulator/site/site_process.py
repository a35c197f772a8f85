"""A site of the emulator for tests: real WireGuard, a real broker and a real ping in a namespace of its own."""

import time
from collections.abc import Callable

from lab.network.netns import Namespace, Rack, python_module
from lab.network.wireguard import Device, Keys, PeerConfig, generate_keys
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S, Event, EventLog

HUB_ENDPOINT = ("192.0.2.1", 51820)
STEP_S = PATIENCE_S
MQTT_PORT = 1883
HUB_TEXT = "{}:{}".format(*HUB_ENDPOINT)


class Machine:
    """A namespace with a WireGuard device, two peers (only the hub's has an endpoint) and a mosquitto on loopback."""

    def __init__(self, rack: Rack) -> None:
        self.namespace = rack.namespace("site")
        self.hub, self.other = generate_keys(), generate_keys()
        self.device = Device(self.namespace, 51820)
        peers = [
            PeerConfig(self.hub.public, ["10.99.0.0/24"], HUB_TEXT, 25),
            PeerConfig(self.other.public, ["10.98.0.3/32"]),
        ]
        self.device.configure(peers, ["10.99.0.2/32"])
        _start_broker(rack, self.namespace)


def _start_broker(rack: Rack, namespace: Namespace) -> None:
    settings = namespace.directory / "mosquitto.conf"
    settings.write_text(f"listener {MQTT_PORT} 0.0.0.0\nallow_anonymous true\npersistence false\n")
    log = EventLog()
    broker = Child("broker", namespace, ("mosquitto", "-c", str(settings)), log, read_json_line)
    rack.before_close(broker.kill)
    log.wait_for(lambda event: "running" in str(event.data.get("text")), STEP_S, what="mosquitto")


class SiteProcess:
    """A site and its events."""

    def __init__(self, machine: Machine, version: str, switches: tuple[str, ...]) -> None:
        self.machine = machine
        self.log = EventLog()
        self._has_broker = False
        words = [word for switch in switches for word in ("--switch", switch)]
        command = python_module("lab.routeros.site", "--interface", "wg0", "--name", "a", "--version", version, *words)
        self.child = Child("a", machine.namespace, command, self.log, read_json_line)
        self.log.expect("a", "ready", STEP_S)

    def run(self, source: str) -> Event:
        """Run a script; return its `run-done`."""
        return self._order({"do": "run", "source": source}, "run-done")

    def puts(self, source: str) -> list[str]:
        """Run a script that must succeed; return what it prints."""
        since_ns = time.time_ns()
        done = self.run(source)
        assert done.data["ok"], done.data["error"]
        return [str(event.data["text"]) for event in self.log.find("a", "put", since_ns=since_ns)]

    def error(self, source: str) -> str:
        """Run a script that must fail; return its error."""
        done = self.run(source)
        assert not done.data["ok"]
        return str(done.data["error"])

    def import_text(self, text: str) -> Event:
        """Import a file with this text; return `import-done`."""
        file = self.machine.namespace.directory / "import.rsc"
        file.write_text(text)
        return self._order({"do": "import", "file": str(file)}, "import-done")

    def handle(self, handler: str, payload: str = "") -> Event:
        """Run this text as the handler of a message, as if a broker had sent it."""
        if not self._has_broker:
            self._has_broker = True
            self.puts("/iot/mqtt/brokers/add name=idle address=127.0.0.1")
            self.puts('/iot/mqtt/subscriptions/add broker=idle topic=t on-message=""')
        text = handler.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
        self.puts(f'/iot/mqtt/subscriptions/set [find where topic=t] on-message="{text}"')
        return self._order({"do": "message", "topic": "t", "payload": payload}, "handler-done")

    def exit_status(self) -> int:
        """Wait until the process ends; return its exit status."""
        given_up = time.monotonic() + STEP_S
        while self.child.runs and time.monotonic() < given_up:
            time.sleep(0.01)
        return self.child.stop()

    def _order(self, order: dict[str, object], done: str) -> Event:
        since_ns = time.time_ns()
        self.child.send(order)
        return self.log.expect("a", done, STEP_S, since_ns=since_ns)


Start = Callable[..., SiteProcess]


def peer(keys: Keys) -> str:
    """Return the command that finds the peer."""
    return f'[/interface/wireguard/peers/find where public-key="{keys.public}"]'
