"""A hub with thousands of routers on the kernel's WireGuard, some of which really speak. Edge: starts all of it."""

import os
from collections.abc import Mapping, Sequence

from lab.network.addresses import HUB_PORT, HUB_TUNNEL, wan_prefix
from lab.network.netns import python_module
from lab.network.shell import run
from lab.network.wireguard import Device, PeerConfig
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import Event
from lab.testbed.process_cost import find_process, step_back
from lab.testbed.standalone_hub import StandaloneHub
from lab.vm.interfaces import key

BROKER_USERS = 200
SITE_PORT = 20000  # and upwards, one for each site
WAN = wan_prefix(4)


class LargeHub(StandaloneHub):
    """One hub; one machine that holds a WireGuard interface for each router that speaks, all behind one address.

    Events beside those of StandaloneHub: `speakers` (see lab.speakers), `tap` (the first packet of each source).
    """

    def __init__(self, routers: int, speakers: int, settings: Mapping[str, object] | None = None) -> None:
        names = [f"r{number}" for number in range(routers)]
        super().__init__(names, {"poll_s": 1.0, "wireguard": "kernel"} | dict(settings or {}))
        self.speaking = names[:speakers]
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
        devices = [f"s{number}" for number in range(speakers)]
        command = python_module("lab.probes.traffic", "--to", HUB_TUNNEL, *devices)
        self.speakers = Child("speakers", self.sites, command, self.log, read_json_line) if speakers else None

    def _give_keys(self) -> None:
        """Let the routers that speak have keys whose private halves are known."""
        loop = 'while read -r private; do echo "$private" | wg pubkey; done'
        text = "".join(f"{key(name)}\n" for name in self.speaking)
        for name, public_key in zip(self.speaking, run("sh", "-c", loop, text_in=text).split(), strict=True):
            self.add_router(name, public_key)

    def _configure_hub(self) -> None:
        """Give the hub all of them as peers; those who never speak have an endpoint all the same."""
        peers = []
        for number, (name, router) in enumerate(self.routers.items()):
            silent = "" if name in set(self.speaking) else f"{WAN}{number % 200 + 30}:{1024 + number}"
            peers.append(PeerConfig(str(router["public_key"]), [f"{router['tunnel_address']}/32"], silent))
        self.device.configure(peers, [f"{HUB_TUNNEL}/16"])

    def _make_sites(self) -> None:
        lines, script = list[str](), list[str]()
        for number, name in enumerate(self.speaking):
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

    def start_broker(self, options: str = "", *, viewer: bool = True) -> None:
        """Start it, with a password for the first `BROKER_USERS` routers: making ten thousand takes half a minute."""
        everybody, links = self.routers, self.settings.get("links", [])
        self.settings["links"] = []
        self.routers = dict(list(everybody.items())[:BROKER_USERS])
        self.write_config()
        super().start_broker(options, viewer=viewer)
        self.routers, self.settings["links"] = everybody, links
        self.write_config()

    def link(self, groups: Sequence[Sequence[str]]) -> None:
        """Link the routers of each group with each other."""
        self.settings["links"] = [list(group) for group in groups]
        self.write_config()

    def take_address(self, address: str) -> None:
        """Give the machine of all sites another public address, and take the old one."""
        old = [f"addr del {self.address}/24 dev wan"] if self.address else []
        self.sites.ip(*old, f"addr add {address}/24 dev wan")
        self.address = address

    def speak(self, repeat_ms: int = 0) -> Event:
        """Let every site that speaks send a packet to the hub; return when the first was about to leave."""
        assert self.speakers is not None, "nobody speaks here"
        since_ns = self.log.note("lab", "speak").t_ns
        self.speakers.send({"repeat_ms": repeat_ms})
        return self.log.expect("speakers", "sent", 20.0, since_ns=since_ns)

    def start_tap(self) -> None:
        """Have the kernel's time stamps of first packets; too slow to stand beside a flood."""
        tap = python_module("lab.probes.tap", "--interface", "wan", "--port", str(HUB_PORT))
        self.tap = Child("tap", self.namespace, tap, self.log, read_json_line)
        self.log.expect("tap", "ready", 20.0)

    def step_back(self) -> None:
        """Let the lab's own programs wait for the hub's: a guest has one CPU, and a real hub has none of them."""
        children = (child.pid for child in (self.tap, self.speakers) if child)
        for pid in (os.getpid(), *children):
            step_back(pid)

    def daemon_pid(self) -> int:
        """Return the process id of the daemon itself, not that of what started it."""
        return find_process("wgmqtt", run("ip", "netns", "pids", self.namespace.name))

    def start_daemon(self, timeout_s: float = 120.0) -> Event:
        """Start the daemon, and return when it serves."""
        since_ns = self.log.note("lab", "daemon").t_ns
        self.daemon.start()
        return self.said("broker ready", timeout_s, since_ns=since_ns)
