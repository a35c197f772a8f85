"""A hub without routers: a WireGuard device, a broker, the daemon and MQTT clients in one namespace."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import yaml

from lab.network.netns import Namespace, Rack, python_module
from lab.network.shell import run
from lab.testbed.broker import HUB_USER, PORT, VIEWER, Broker
from lab.testbed.child import Child, read_json_line
from lab.testbed.daemon import Daemon
from lab.testbed.events import PATIENCE_S, Event, EventLog
from lab.testbed.userspace_device import UserspaceDevice

HOST = "127.0.0.1"
PREFIX = "wgmqtt/v1"
THREE = ("berlin", "cologne", "dresden")
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten thousand routers take seconds otherwise


def key_of(name: str) -> str:
    """Return the public key that tests use for a router of this name; nobody has its private key."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


class StandaloneHub:
    """One machine. Its routers are peers of a WireGuard device whose counters and endpoints the test sets.

    Sources of events: `hub` (the daemon's log), `broker`, `viewer` (every message), `lab` (what the test did).
    `settings` replace keys at the top level of the configuration. As a context manager it leaves nothing behind.
    """

    hub_key = key_of("the hub")

    def __init__(self, routers: Sequence[str] = THREE, settings: Mapping[str, object] | None = None) -> None:
        self.log = EventLog()
        self._rack = Rack()
        self.namespace = self._rack.namespace("hub")
        self.directory = self.namespace.directory
        self.config = self.directory / "config.yaml"
        self.secrets = self.directory / "secrets"
        self.mosquitto = self.directory / "mosquitto"
        self.devices: dict[str, UserspaceDevice] = {}
        self.routers: dict[str, dict[str, object]] = {}
        self.settings: dict[str, object] = dict(settings or {})
        for name in routers:
            self.add_router(name)
        self.write_config()
        self.daemon = Daemon(self.namespace, self.log, self.config)

    def add_router(self, name: str, key: str = "") -> None:
        """Add a router to the settings, or give it another key; `write_config` writes them."""
        number = len(self.routers) + 2
        address = f"{number // 250}.{number % 250 + 2}"
        fresh: dict[str, object] = {
            "routeros": "7.20",
            "interface": "wireguard1",
            "tunnel_address": f"10.99.{address}",
            "ping": f"10.98.{address}",
        }
        self.routers[name] = self.routers.get(name, fresh) | {"public_key": key or key_of(name)}

    def write_config(self) -> None:
        """Write the configuration file. The daemon reads it when it starts and at SIGHUP."""
        content = {
            "hub": {
                "name": "hub1",
                "interfaces": ["wg0"],
                "public_key": self.hub_key,
                "tunnel_address": "10.99.0.1",
            },
            "broker": {
                "host": HOST,
                "port": PORT,
                "username": HUB_USER,
                "password_file": f"{self.secrets}/{HUB_USER}.password",
                "for_routers": {"host": "10.99.0.1"},
            },
            "secrets_dir": str(self.secrets),
            "poll_s": 0.2,
            "also_publish": ["203.0.113.0/24", "2001:db8::/32"],
            "routers": self.routers,
            **self.settings,
        }
        beside = self.config.with_suffix(".new")
        beside.write_text(yaml.dump(content, Dumper=DUMPER, sort_keys=False))
        beside.rename(self.config)

    def start_broker(self, options: str = "", *, viewer: bool = True) -> None:
        """Generate the secrets and the broker's files, start the broker with `options`, and connect the viewer."""
        self.write_broker_files()
        (self.mosquitto / "conf.d" / "more.conf").write_text(options)
        self.broker = Broker(self.namespace, self.log, self.mosquitto)
        if viewer:
            self.client(VIEWER, self.secret(VIEWER).read_text().strip(), source="viewer")

    def write_broker_files(self) -> None:
        """Generate the missing secrets and the broker's files."""
        self.wgmqtt("gen-mosquitto", "--folder", str(self.mosquitto))

    def client(self, user: str, password: str, *, source: str, connects: bool = True, client_id: str = "") -> Child:
        """Connect one more client, which subscribes to all topics; retained messages arrive first, with `retain`."""
        since_ns = self.log.note("lab", "client").t_ns
        options = ("--host", HOST, "--user", user, f"--topic={PREFIX}/#", f"--client-id={client_id}")
        child = Child(source, self.namespace, python_module("lab.probes.mqtt_user", *options), self.log, read_json_line)
        child.send({"password": password})
        if connects:
            self.log.expect(source, "subscribed", PATIENCE_S, since_ns=since_ns)
        return child

    def wgmqtt(self, command: str, *arguments: str) -> str:
        """Run a wgmqtt command with this hub's configuration and return its output."""
        return run(*python_module("wgmqtt", command, "-c", str(self.config), *arguments))

    def add_machine(self, short_name: str, *lines: str) -> Namespace:
        """Add a machine on a cable to the hub, whose interface is `wan` on both sides; `lines` are ip(8)'s for it."""
        machine = self._rack.namespace(short_name)
        self.namespace.ip(f"link add wan type veth peer name wan netns {machine.name}", "link set wan up")
        machine.ip("link set wan up", *lines)
        return machine

    def second_daemon(self, source: str, *options: str) -> Daemon:
        """Return another daemon with the same configuration, not started yet; `source` is the source of its events."""
        return Daemon(self.namespace, self.log, self.config, options, source)

    def add_interface(self, name: str = "wg0") -> None:
        """Add a WireGuard interface without peers."""
        device = self.devices[name] = UserspaceDevice(self.namespace, name)
        self._rack.before_close(device.close)

    def remove_interface(self, name: str = "wg0") -> None:
        """Delete an interface, as `wg-quick down` does."""
        self.devices[name].delete()

    def set_endpoints(self, *endpoints: tuple[str, str], interface: str = "wg0") -> int:
        """Let the device receive from these routers (name, endpoint); return when (Unix time, ns)."""
        t_ns = self.log.note("lab", "endpoints-set", endpoints=endpoints).t_ns
        self.devices[interface].hear({key_of(name): endpoint for name, endpoint in endpoints})
        return t_ns

    def remove_peer(self, name: str, interface: str = "wg0") -> None:
        """Remove a router's peer from the device."""
        self.devices[interface].remove_peer(key_of(name))

    def suspend_device(self, name: str = "wg0") -> None:
        """Let the device's socket accept connections and never answer."""
        self.devices[name].suspend()

    def resume_device(self, name: str = "wg0") -> None:
        """Let the device answer again."""
        self.devices[name].resume()

    def start(self) -> Self:
        """Add the interface `wg0`, start the broker and the daemon, and return when the daemon is ready."""
        self.add_interface()
        self.start_broker()
        self.daemon.start()
        self.expect_log("broker ready")
        return self

    def expect_log(self, phrase: str, timeout_s: float = PATIENCE_S, *, since_ns: int = 0, **data: object) -> Event:
        """Return the daemon's first log line with this phrase and these fields, past or future."""
        return self.log.expect("hub", phrase, timeout_s, since_ns=since_ns, **data)

    def warnings(self, since_ns: int = 0, source: str = "hub") -> list[str]:
        """Return the phrases of the daemon's warnings, oldest first."""
        return [event.kind for event in self.log.find(source, "", since_ns=since_ns, level="warning")]

    def published(self, kind: str = "endpoints", since_ns: int = 0) -> list[Event]:
        """Return the messages on topics that end in `kind` ("" for all), without those retained before."""
        messages = self.log.find("viewer", "message", since_ns=since_ns, retain=False)
        return [event for event in messages if str(event.data["topic"]).endswith(kind)]

    def endpoints_for(self, router: str) -> dict[str, str]:
        """Return the endpoints in the newest table for a router, by name."""
        tables = self.log.find("viewer", "message", topic=f"{PREFIX}/{router}/endpoints")
        return _endpoints(str(tables[-1].data["payload"])) if tables else {}

    def expect_table(self, to: str, of: str, endpoint: str, timeout_s: float = PATIENCE_S, since_ns: int = 0) -> Event:
        """Return the first table for router `to` that has `of` at `endpoint`, past or future."""

        def is_table(event: Event) -> bool:
            topic = f"{PREFIX}/{to}/endpoints"
            is_for_router = event.matches("viewer", "message", topic=topic)
            return is_for_router and _endpoints(str(event.data["payload"])).get(of) == endpoint

        what = f"a table for {to} with {of} at {endpoint}"
        return self.log.wait_for(is_table, timeout_s, since_ns=since_ns, what=what)

    def secret(self, name: str) -> Path:
        """Return the password file of a user of the broker."""
        return self.secrets / f"{name}.password"

    def close(self) -> None:
        """Stop every process and remove everything; a second call does nothing."""
        self._rack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _endpoints(table: str) -> dict[str, str]:
    peers = json.loads(table)["peers"] if table else []
    return {peer["name"]: f"{peer['address']}:{peer['port']}" for peer in peers if "address" in peer}
