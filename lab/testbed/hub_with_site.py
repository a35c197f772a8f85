"""A hub with one real site that can move, and the product's polling and hints without a broker."""

from collections.abc import Mapping
from subprocess import Popen

from lab.network.addresses import HUB_PORT, Family, add_address, prefix_length, socket_text, wan_prefix
from lab.network.netns import python_module
from lab.network.wireguard import Device, PeerConfig
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S, Event
from lab.testbed.standalone_hub import StandaloneHub

ROUTER = "berlin"


class HubWithSite(StandaloneHub):
    """A hub and a site on one cable. Sources of events: `watch` (lab.probes.watcher), `tap` (lab.probes.tap).

    The hub polls once a minute, so whatever it sees sooner was caused by a hint.
    """

    def __init__(self, family: Family = 4, settings: Mapping[str, object] | None = None) -> None:
        super().__init__((), {"poll_s": 60} | dict(settings or {}))
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
        self.log.expect("tap", "ready", PATIENCE_S)

    def connect(self) -> None:
        """Configure keys, peers and addresses of both devices."""
        self._configure_hub()
        to_hub = PeerConfig(self.device.keys.public, ["10.99.0.0/24"], socket_text(self.address, HUB_PORT))
        self.site_device.configure([to_hub], ["10.99.0.2/24"])

    def _configure_hub(self) -> None:
        self.device.configure([PeerConfig(self.site_device.keys.public, ["10.99.0.2/32"])], ["10.99.0.1/24"])

    def remake(self) -> None:
        """Create the hub's interface again after it was deleted, with the same key and peers."""
        keys = self.device.keys
        self.device = Device(self.namespace, HUB_PORT)
        self.device.keys = keys
        self._configure_hub()
        # The site would use its old session for 15 s more, so its peer is created again, too.
        place = socket_text(self.address, HUB_PORT)
        self.site.run("wg", "set", "wg0", "peer", keys.public, "remove")
        self.site.run("wg", "set", "wg0", "peer", keys.public, "allowed-ips", "10.99.0.0/24", "endpoint", place)

    def _tap(self) -> tuple[str, ...]:
        return python_module("lab.probes.tap", "--interface", "wan", "--port", str(HUB_PORT))

    def take_address(self, address: str) -> None:
        """Replace the site's public address."""
        length = prefix_length(self.family)
        old = [f"addr del {self.site_address}/{length} dev wan"] if self.site_address else []
        self.site.ip(*old, add_address(address, length, "wan"))
        self.site_address = address

    def ping_hub(self) -> None:
        """Send from the site through the tunnel until one answer arrives."""
        self.site.run("ping", "-n", "-c", "1", "-i", "0.2", "-w", "60", "10.99.0.1", timeout_s=2 * PATIENCE_S)

    def move(self, number: int) -> float:
        """Move the site to an address and port of this number, and let it send; return the ms until this was seen."""
        address = f"{wan_prefix(self.family)}{number % 50 + 10}"
        forgetting_ns = self.log.note("lab", "forget").t_ns
        self.tap.send({"forget": address})
        self.log.expect("tap", "forgot", PATIENCE_S, since_ns=forgetting_ns)
        self.take_address(address)
        self.site.run("wg", "set", "wg0", "listen-port", str(20000 + number))
        place = socket_text(self.site_address, 20000 + number)
        since_ns = self.log.note("lab", "move", place=place).t_ns
        self.ping_hub()
        source = {"address": self.site_address, "port": 20000 + number}
        packet = self.log.expect("tap", "packet", PATIENCE_S, since_ns=since_ns, **source)
        seen = self.log.expect("watch", "seen", PATIENCE_S, since_ns=since_ns, endpoint=place)
        return (seen.t_ns - packet.t_ns) / 1e6

    def watch(self, *options: str, user: tuple[str, ...] = (), source: str = "watch") -> Child:
        """Start lab.probes.watcher; `user` is a command that starts it as somebody else, such as setpriv(1)."""
        command = (*user, *python_module("lab.probes.watcher", str(self.config), *options))
        return Child(source, self.namespace, command, self.log, read_json_line)

    def watch_with_hints(self, *options: str, user: tuple[str, ...] = ()) -> Child:
        """Start lab.probes.watcher, and return when hints are active and the site's endpoint was seen."""
        self.ping_hub()
        since_ns = self.log.note("lab", "watch").t_ns
        child = self.watch(*options, user=user)
        self.log.expect("watch", "hints-work", PATIENCE_S, since_ns=since_ns)
        self.log.expect("watch", "seen", PATIENCE_S, since_ns=since_ns)
        return child

    def tables(self) -> list[str]:
        """Return the nftables tables of the hub's namespace."""
        return self.namespace.run("nft", "list", "tables").splitlines()

    def nft(self, *words: str) -> str:
        """Run an nft command in the hub's namespace, as another program would."""
        return self.namespace.run("nft", *words)

    def elements(self, table: str, name: str) -> str:
        """Return the listing of one nftables set."""
        return self.nft("list", "set", "inet", table, name)

    def events_within(self, kind: str, timeout_s: float, since_ns: int = 0) -> list[Event]:
        """Wait `timeout_s`, and return the events of this kind that the watcher printed since."""
        return self.log.collect(timeout_s, "watch", kind, since_ns=since_ns)


def flood(hub: HubWithSite, count: int, seconds: float) -> Popen[str]:
    """Start a flood of spoofed packets from the site's end of the cable; it ends by itself."""
    arguments = ("--to", hub.address, "--port", str(HUB_PORT), "--count", str(count), "--seconds", str(seconds))
    return hub.site.start(*python_module("lab.probes.spoof", *arguments))
