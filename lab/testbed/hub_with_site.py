"""A hub whose one router really speaks, and moves; the product's watching without a broker. Edge: starts all of it."""

import os
from collections.abc import Mapping
from pathlib import Path
from subprocess import Popen

from lab.network.addresses import HUB_PORT, Family, add_address, prefix_length, socket_text, wan_prefix
from lab.network.netns import python_module
from lab.network.wireguard import Device, PeerConfig
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import Event
from lab.testbed.standalone_hub import StandaloneHub

ROUTER = "berlin"
SEEN_S = 20.0


class HubWithSite(StandaloneHub):
    """A hub and a site on one cable. Events of `watch`: see lab.watcher; of `tap`: the first packet of each source.

    It polls every half minute, so what is seen sooner was announced by a hint.
    """

    def __init__(self, family: Family = 4, settings: Mapping[str, object] | None = None) -> None:
        super().__init__((), {"poll_s": 30} | dict(settings or {}))
        self.family: Family = family
        self.address = f"{wan_prefix(family)}1"
        self.site = self._rack.namespace("site")
        for machine in (self.namespace, self.site):
            machine.sysctl(net__ipv6__conf__default__accept_dad=0, net__ipv4__conf__all__rp_filter=0)
        self.namespace.ip(f"link add wan type veth peer name wan netns {self.site.name}", "link set wan up")
        self.site.ip("link set wan up")
        self.namespace.ip(add_address(self.address, prefix_length(family), "wan"))
        self.site_address = ""
        self.take_address(f"{wan_prefix(family)}2")
        self.device, self.site_device = Device(self.namespace, HUB_PORT), Device(self.site, 13231)
        self.add_router(ROUTER, self.site_device.keys.public)
        self.write_config()
        self.connect()
        self.tap = Child("tap", self.namespace, self._tap(), self.log, read_json_line)
        self.log.expect("tap", "ready", 30.0)

    def connect(self) -> None:
        """Give both devices their keys, peers and addresses."""
        self._configure_hub()
        to_hub = PeerConfig(self.device.keys.public, ["10.99.0.0/24"], socket_text(self.address, HUB_PORT))
        self.site_device.configure([to_hub], ["10.99.0.2/24"])

    def _configure_hub(self) -> None:
        self.device.configure([PeerConfig(self.site_device.keys.public, ["10.99.0.2/32"])], ["10.99.0.1/24"])

    def remake(self) -> None:
        """Make the hub's interface again, which somebody has deleted; its key and its peers are as before."""
        keys = self.device.keys
        self.device = Device(self.namespace, HUB_PORT)
        self.device.keys = keys
        self._configure_hub()
        # A session that only one end knows lasts 15 s, so the site begins anew too.
        place = socket_text(self.address, HUB_PORT)
        self.site.run("wg", "set", "wg0", "peer", keys.public, "remove")
        self.site.run("wg", "set", "wg0", "peer", keys.public, "allowed-ips", "10.99.0.0/24", "endpoint", place)

    def _tap(self) -> tuple[str, ...]:
        return python_module("lab.probes.tap", "--interface", "wan", "--port", str(HUB_PORT))

    def take_address(self, address: str) -> None:
        """Give the site another public address, and take the old one."""
        length = prefix_length(self.family)
        old = [f"addr del {self.site_address}/{length} dev wan"] if self.site_address else []
        self.site.ip(*old, add_address(address, length, "wan"))
        self.site_address = address

    def speak(self) -> None:
        """Send from the site through the tunnel until one answer has come."""
        self.site.run("ping", "-n", "-c", "1", "-i", "0.2", "-w", "15", "10.99.0.1")

    def move(self, number: int) -> float:
        """Give the site address and port so-and-so, and let it speak; return after how many ms that was seen."""
        address = f"{wan_prefix(self.family)}{number % 50 + 10}"
        forgetting_ns = self.log.note("lab", "forget").t_ns
        self.tap.send({"forget": address})
        self.log.expect("tap", "forgot", 30.0, since_ns=forgetting_ns)
        self.take_address(address)
        self.site.run("wg", "set", "wg0", "listen-port", str(20000 + number))
        place = socket_text(self.site_address, 20000 + number)
        since_ns = self.log.note("lab", "move", place=place).t_ns
        self.speak()
        packet = self.log.expect(
            "tap", "packet", 30.0, since_ns=since_ns, address=self.site_address, port=20000 + number
        )
        seen = self.log.expect("watch", "seen", SEEN_S, since_ns=since_ns, endpoint=place)
        return (seen.t_ns - packet.t_ns) / 1e6

    def watch(self, *options: str, user: tuple[str, ...] = (), source: str = "watch") -> Child:
        """Start watching; `user` is what the program is started with, such as setpriv(1)."""
        command = (*user, *python_module("lab.probes.watcher", str(self.config), *options))
        return Child(source, self.namespace, command, self.log, read_json_line)

    def watch_with_hints(self, *options: str, user: tuple[str, ...] = ()) -> Child:
        """Start watching, and return when hints active and the site's endpoint was seen."""
        self.speak()
        since_ns = self.log.note("lab", "watch").t_ns
        child = self.watch(*options, user=user)
        self.log.expect("watch", "hints-work", 30.0, since_ns=since_ns)
        return child

    def tables(self) -> list[str]:
        """Return the tables that nftables has in the hub's namespace."""
        return self.namespace.run("nft", "list", "tables").splitlines()

    def nft(self, *words: str) -> str:
        """Give nftables a command, as somebody else would."""
        return self.namespace.run("nft", *words)

    def elements(self, table: str, name: str) -> str:
        """Return the text of one set."""
        return self.nft("list", "set", "inet", table, name)

    def within(self, kind: str, timeout_s: float, since_ns: int = 0) -> list[Event]:
        """Return the events of the watching that came within a time."""
        return self.log.collect(timeout_s, "watch", kind, since_ns=since_ns)


def cpu_s(child: Child) -> float:
    """Return the CPU time that a process has used, as proc(5) says in fields 14 and 15 of stat."""
    fields = Path(f"/proc/{child.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def flood(hub: HubWithSite, count: int, seconds: float) -> Popen[str]:
    """Start a flood of spoofed packets from the site's end of the cable; it ends by itself."""
    arguments = ("--to", hub.address, "--port", str(HUB_PORT), "--count", str(count), "--seconds", str(seconds))
    return hub.site.start(*python_module("lab.probes.spoof", *arguments))
