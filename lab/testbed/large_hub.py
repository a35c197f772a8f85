"""A hub with thousands of routers on the kernel's WireGuard, some of which have live sessions."""

import base64
import os
from collections.abc import Mapping, Sequence

from lab.network.addresses import HUB_PORT, HUB_TUNNEL, wan_prefix
from lab.network.handshake import public_key
from lab.network.netns import python_module
from lab.network.shell import run
from lab.network.wireguard import Device, PeerConfig
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S, Event
from lab.testbed.process_cost import find_process, lower_priority
from lab.testbed.standalone_hub import StandaloneHub
from lab.vm.interfaces import key
from wgmqtt.broker.mosquitto import render_configuration
from wgmqtt.config.load import read_config

BROKER_USERS = 200
SITE_PORT = 20000  # and upwards, one for each site
WAN = wan_prefix(4)
SILENT_NETS = ("32/27", "64/26", "128/26")  # the addresses of silent routers
HANDSHAKES_S = 120.0


class LargeHub(StandaloneHub):
    """A hub, and one machine with a WireGuard interface for each active router, all behind one public address.

    Sources of events beside those of StandaloneHub: `traffic` (see lab.probes.traffic), `tap` (see lab.probes.tap).
    """

    def __init__(self, routers: int, active: int, settings: Mapping[str, object] | None = None) -> None:
        names = [f"r{number}" for number in range(routers)]
        super().__init__(names, {"poll_s": 1.0, "wireguard": "kernel"} | dict(settings or {}))
        self.active = names[:active]
        self.address = ""
        self.sites = self._rack.namespace("sites")
        self.namespace.ip(f"link add wan type veth peer name wan netns {self.sites.name}", "link set wan up")
        self.namespace.ip(f"addr add {WAN}1/24 dev wan")
        self.sites.ip("link set wan up")
        self.take_address(f"{WAN}2")
        self.device = Device(self.namespace, HUB_PORT, "kernel")
        self._give_keys()
        self._configure_hub()
        self._make_sites()
        self.write_config()
        devices = [f"s{number}" for number in range(active)]
        command = python_module("lab.probes.traffic", "--to", HUB_TUNNEL, *devices)
        self.traffic = Child("traffic", self.sites, command, self.log, read_json_line) if active else None

    def _give_keys(self) -> None:
        """Give the routers keys whose private keys are known."""
        for name in self.routers:
            self.add_router(name, base64.b64encode(public_key(base64.b64decode(key(name)))).decode())

    def _configure_hub(self) -> None:
        """Add all routers to the hub's device; silent ones have an endpoint, too."""
        peers, active = [], set(self.active)
        for number, (name, router) in enumerate(self.routers.items()):
            silent = "" if name in active else ":".join(map(str, _silent_endpoint(number)))
            peers.append(PeerConfig(str(router["public_key"]), [f"{router['tunnel_address']}/32"], silent))
        self.device.configure(peers, [f"{HUB_TUNNEL}/16"])

    def hear_silent_routers(self) -> None:
        """Let each silent router shake hands with the hub once, from its endpoint, so that the endpoint is news."""
        active = set(self.active)
        lines = [
            f"{key(name)} {' '.join(map(str, _silent_endpoint(number)))}\n"
            for number, name in enumerate(self.routers)
            if name not in active
        ]
        self.sites.ip(*(f"route add local {WAN}{net} dev lo" for net in SILENT_NETS))
        program = python_module("lab.probes.handshakes", f"{WAN}1", str(HUB_PORT), self.device.keys.public)
        self.sites.run(*program, text_in="".join(lines), timeout_s=HANDSHAKES_S)

    def _make_sites(self) -> None:
        lines, script = list[str](), list[str]()
        for number, name in enumerate(self.active):
            device = f"s{number}"
            lines += [
                f"link add {device} type wireguard",
                f"addr add {self.routers[name]['tunnel_address']}/32 dev {device}",
                f"link set {device} up",
                f"route add {HUB_TUNNEL}/32 dev {device} metric {number + 1}",
            ]
            script.append(
                f"echo {key(name)} | wg set {device} listen-port {SITE_PORT + number} private-key /dev/stdin "
                f"peer {self.device.keys.public} allowed-ips {HUB_TUNNEL}/32 endpoint {WAN}1:{HUB_PORT}"
            )
        self.sites.ip(*lines)
        self.sites.run("sh", "-e", text_in="\n".join(script) + "\n", timeout_s=120.0)

    def write_broker_files(self) -> None:
        """Generate accounts for the first `BROKER_USERS` routers only: ten thousand take half a minute."""
        everybody, links = self.routers, self.settings.get("links", [])
        self.settings["links"] = []
        self.routers = dict(list(everybody.items())[:BROKER_USERS])
        self.write_config()
        super().write_broker_files()
        self.routers, self.settings["links"] = everybody, links
        self.write_config()
        text = render_configuration(read_config(self.config), str(self.mosquitto))  # with the limits for all of them
        (self.mosquitto / "conf.d" / "wgmqtt.conf").write_text(text)

    def link(self, groups: Sequence[Sequence[str]]) -> None:
        """Link all routers within each group."""
        self.settings["links"] = [list(group) for group in groups]
        self.write_config()

    def take_address(self, address: str) -> None:
        """Replace the public address of the machine with all sites."""
        old = [f"addr del {self.address}/24 dev wan"] if self.address else []
        self.sites.ip(*old, f"addr add {address}/24 dev wan")
        self.address = address

    def send(self, repeat_ms: int = 0) -> Event:
        """Let every active router send a packet to the hub; return the event, stamped before the first was sent."""
        assert self.traffic is not None, "no router is active"
        since_ns = self.log.note("lab", "send").t_ns
        self.traffic.send({"repeat_ms": repeat_ms})
        return self.log.expect("traffic", "sent", PATIENCE_S, since_ns=since_ns)

    def start_tap(self) -> None:
        """Record the kernel's time stamps of first packets; too slow to run during a flood."""
        tap = python_module("lab.probes.tap", "--interface", "wan", "--port", str(HUB_PORT))
        self.tap = Child("tap", self.namespace, tap, self.log, read_json_line)
        self.log.expect("tap", "ready", PATIENCE_S)

    def lower_priority(self) -> None:
        """Lower the priority of the lab's programs: a guest has one CPU, and a real hub does not run them."""
        children = (child.pid for child in (self.tap, self.traffic) if child)
        for pid in (os.getpid(), *children):
            lower_priority(pid)

    def daemon_pid(self) -> int:
        """Return the process id of the daemon itself, not of the programs that started it."""
        return find_process("wgmqtt", run("ip", "netns", "pids", self.namespace.name))

    def start_daemon(self, timeout_s: float = 120.0) -> Event:
        """Start the daemon, and return when it is ready."""
        since_ns = self.log.note("lab", "daemon").t_ns
        self.daemon.start()
        return self.expect_log("broker ready", timeout_s, since_ns=since_ns)


def _silent_endpoint(number: int) -> tuple[str, int]:
    return f"{WAN}{number % 160 + 32}", 1024 + number
