"""A hub without routers: WireGuard, a broker, the daemon and clients in one namespace. Edge: starts all of it."""

import base64
import hashlib
import json
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import yaml

from lab.network.netns import Rack, python_module
from lab.network.shell import LabError, run
from lab.testbed.broker import HUB_USER, PORT, VIEWER, Broker
from lab.testbed.child import Child, read_json_line
from lab.testbed.daemon import Daemon
from lab.testbed.events import Event, EventLog
from wgmqtt.errors import Problem

if TYPE_CHECKING:
    import subprocess

HOST = "127.0.0.1"
PREFIX = "wgmqtt/v1"
PATIENCE_S = 30.0  # a machine at work needs seconds to start Python
THREE = ("berlin", "cologne", "dresden")
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten thousand routers take seconds otherwise


def key_of(name: str) -> str:
    """Return the public key that belongs to this name: nobody has its private half, so no handshake ever succeeds."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


class StandaloneHub:
    """One machine. A router is a peer of its WireGuard, whose endpoint the test sets. Leaves nothing behind.

    Sources of events: `hub` (the daemon's log), `broker`, `viewer` (every message), `lab` (what was done to them).
    `settings` are laid over the configuration's top level.
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
        self.devices: dict[str, subprocess.Popen[str]] = {}
        self.routers: dict[str, dict[str, object]] = {}
        self.settings: dict[str, object] = dict(settings or {})
        for name in routers:
            self.add_router(name)
        self.write_config()
        self.daemon = Daemon(self.namespace, self.log, self.config)

    def add_router(self, name: str, key: str = "") -> None:
        """Add one to the configuration, or give it another key; `write_config` makes it so."""
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
        """Write the configuration as it shall be now. The daemon reads it at its start and at SIGHUP."""
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
        """Make secrets and the broker's files, start it with `options` added, and listen as `viewer` if wanted."""
        self.wgmqtt("gen-mosquitto", "--folder", str(self.mosquitto))
        (self.mosquitto / "conf.d" / "more.conf").write_text(options)
        self.broker = Broker(self.namespace, self.log, self.mosquitto)
        if viewer:
            self.client(VIEWER, self.secret(VIEWER).read_text().strip(), source="viewer")

    def client(self, user: str, password: str, *, source: str, connects: bool = True, client_id: str = "") -> Child:
        """Connect one more client that hears every topic it may; what is retained comes first, with `retain`."""
        since_ns = self.log.note("lab", "client").t_ns
        options = ("--host", HOST, "--user", user, f"--topic={PREFIX}/#", f"--client-id={client_id}")
        child = Child(source, self.namespace, python_module("lab.probes.mqtt_user", *options), self.log, read_json_line)
        child.send({"password": password})
        if connects:
            self.log.expect(source, "subscribed", PATIENCE_S, since_ns=since_ns)
        return child

    def wgmqtt(self, command: str, *arguments: str) -> str:
        """Run a command of the product with this hub's configuration and return what it wrote."""
        return run(*python_module("wgmqtt", command, "-c", str(self.config), *arguments))

    def second_daemon(self, source: str, *options: str) -> Daemon:
        """Return one more daemon of the same configuration, not started; `source` names its events."""
        return Daemon(self.namespace, self.log, self.config, options, source)

    def add_interface(self, name: str = "wg0") -> None:
        """Make a WireGuard interface without peers."""
        with (self.directory / f"{name}.log").open("a") as output:
            process = self.namespace.start("wireguard-go", "--foreground", name, output=output)
        self.devices[name] = process
        deadline = time.monotonic() + 5.0
        while not (self.namespace.sockets / f"{name}.sock").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabError(Problem(f"wireguard-go {name}", "did not open its socket"))
            time.sleep(0.005)

    def remove_interface(self, name: str = "wg0") -> None:
        """Delete it, as `wg-quick down` does."""
        self.namespace.ip(f"link delete {name}")
        while (self.namespace.sockets / f"{name}.sock").exists():
            time.sleep(0.005)

    def see(self, *sightings: tuple[str, str], interface: str = "wg0") -> int:
        """Let WireGuard show routers at these endpoints; returns when (Unix time, ns)."""
        words = [word for name, endpoint in sightings for word in ("peer", key_of(name), "endpoint", endpoint)]
        t_ns = self.log.note("lab", "seen", sightings=sightings).t_ns
        self.namespace.run("wg", "set", interface, *words)
        return t_ns

    def forget(self, name: str, interface: str = "wg0") -> None:
        """Remove a router's peer from WireGuard."""
        self.namespace.run("wg", "set", interface, "peer", key_of(name), "remove")

    def hang(self, name: str = "wg0") -> None:
        """Stop the device: its socket takes connections and never answers."""
        self.devices[name].send_signal(signal.SIGSTOP)

    def go_on(self, name: str = "wg0") -> None:
        """Let the device answer again."""
        self.devices[name].send_signal(signal.SIGCONT)

    def serve(self) -> Self:
        """Make the interface `wg0`, start the broker and the daemon, and return when it serves."""
        self.add_interface()
        self.start_broker()
        self.daemon.start()
        self.said("broker ready")
        return self

    def said(self, phrase: str, timeout_s: float = PATIENCE_S, *, since_ns: int = 0, **data: object) -> Event:
        """Return the first such line of the daemon, past or to come."""
        return self.log.expect("hub", phrase, timeout_s, since_ns=since_ns, **data)

    def warnings(self, since_ns: int = 0, source: str = "hub") -> list[str]:
        """Return the phrases of the daemon's warnings, the oldest first."""
        return [event.kind for event in self.log.find(source, "", since_ns=since_ns, level="warning")]

    def published(self, kind: str = "endpoints", since_ns: int = 0) -> list[Event]:
        """Return what was published on topics that end so ("" is all), without what was retained before."""
        messages = self.log.find("viewer", "message", since_ns=since_ns, retain=False)
        return [event for event in messages if str(event.data["topic"]).endswith(kind)]

    def told(self, to: str, of: str, endpoint: str, timeout_s: float = PATIENCE_S, since_ns: int = 0) -> Event:
        """Return the first message that tells router `to` that `of` is at `endpoint`, past or to come."""

        def tells(event: Event) -> bool:
            topic = f"{PREFIX}/{to}/endpoints"
            return event.matches("viewer", "message", topic=topic) and endpoint == _place(
                str(event.data["payload"]), of
            )

        return self.log.wait_for(tells, timeout_s, since_ns=since_ns, what=f"{to} is told that {of} is at {endpoint}")

    def secret(self, name: str) -> Path:
        """Return the file with the password of a user of the broker."""
        return self.secrets / f"{name}.password"

    def close(self) -> None:
        """End every process and remove everything; a second call does nothing."""
        self._rack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _place(table: str, name: str) -> str:
    peers = json.loads(table)["peers"] if table else []
    return next((f"{peer.get('address')}:{peer.get('port')}" for peer in peers if peer["name"] == name), "")
