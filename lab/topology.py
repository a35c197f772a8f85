"""The network of the lab: a hub, an internet, and sites behind NAT boxes that can move. Edge: talks to ip(8)."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from lab.addresses import (
    HUB_PORT,
    HUB_TUNNEL,
    KEEPALIVE_S,
    MAX_SITES,
    SITE_PORT,
    TUNNEL_NET,
    Family,
    Plan,
    add_address,
    prefix_length,
    socket_text,
    wan_prefix,
)
from lab.nat import NatBox, NatKind
from lab.netns import Namespace, Rack
from lab.shell import CommandError, LabError
from lab.wireguard import Device, Kind, PeerConfig, PeerState
from wgmqtt.errors import Problem


class Site:
    """One site: a machine with a WireGuard device, and the NAT box before it, which has its public address."""

    def __init__(self, plan: Plan, box: NatBox, namespace: Namespace, kind: Kind) -> None:
        self.plan = plan
        self.name = plan.name
        self.box = box
        self.namespace = namespace
        self.device = Device(namespace, SITE_PORT, kind)
        self.wan_address = plan.wan(1)

    @property
    def public_key(self) -> str:
        """Return the key by which hub and other sites know this one."""
        return self.device.keys.public

    @property
    def other_wan_address(self) -> str:
        """Return the public address that the site would get by a move now."""
        home, away = self.plan.wan(1), self.plan.wan(2)
        return away if self.wan_address == home else home

    def peer(self, other: "Site") -> PeerState:
        """Return what this site's WireGuard says of the direct peer `other`."""
        return self.device.dump()[other.public_key]

    def pings(self, address: str, timeout_s: float = 1.0) -> bool:
        """Return whether `address` answers one ping from this site."""
        try:
            self.namespace.run("ping", "-n", "-c", "1", "-W", str(timeout_s), address)
        except CommandError:
            return False
        return True

    def reaches_directly(self, other: "Site", timeout_s: float = 1.0) -> bool:
        """Return whether a ping to the other's probe address is answered and the direct peer's rx grew by it."""
        before = self.peer(other).rx
        return self.pings(other.plan.probe, timeout_s) and self.peer(other).rx > before

    def send_to(self, other: "Site") -> None:
        """Send one packet towards the other's probe address, and wait for nothing."""
        self.pings(other.plan.probe, 0.01)

    def speak_to_hub(self) -> None:
        """Send one packet to the hub through its tunnel, and wait for nothing."""
        self.namespace.start("ping", "-n", "-c", "1", "-W", "1", HUB_TUNNEL)

    def change_address(self, address: str, gap_s: float) -> None:
        """Lose the public address and every mapping; have `address` after `gap_s`."""
        length = prefix_length(self.plan.family)
        self.box.namespace.ip(f"addr del {self.wan_address}/{length} dev wan")
        self.box.forget()
        if gap_s:
            time.sleep(gap_s)
        # Without an address nothing was routed, so no mapping was made meanwhile.
        self.box.namespace.ip(add_address(address, length, "wan"))
        self.wan_address = address

    def move(self, gap_s: float = 0.0) -> None:
        """Get the public address away from home."""
        assert self.wan_address == self.plan.wan(1), "already away"
        self.change_address(self.plan.wan(2), gap_s)

    def move_back(self, gap_s: float = 0.0) -> None:
        """Get the public address at home again."""
        assert self.wan_address == self.plan.wan(2), "at home"
        self.change_address(self.plan.wan(1), gap_s)


class Network:
    """Everything below, real: packets, WireGuard, NAT. Addresses for IPv4; over IPv6 see `Plan`.

                            10.99.0.1 wg0 ┌─────┐
                          listens 51820   │ hub │
                                          └──┬──┘ wan 203.0.113.1
                                  ┌──────────┴───────────┐
                                  │ internet: one bridge │
                                  └──┬────────────────┬──┘
             at home  203.0.113.11   │ wan        wan │  203.0.113.21   at home
             moved    203.0.113.12 ┌─┴──────┐  ┌──────┴─┐ 203.0.113.22  moved
                                   │ nat-a  │  │ nat-b  │               (… up to five sites)
                       192.168.1.1 └─┬──────┘  └──────┬─┘ 192.168.2.1
                                 lan │                │ lan
                       192.168.1.2 ┌─┴──────┐  ┌──────┴─┐ 192.168.2.2
             tunnel 10.99.0.2, wg0 │ site-a │  │ site-b │ wg0, tunnel 10.99.0.3
             probe  10.98.0.2      └────────┘  └────────┘      probe  10.98.0.3

    wg0 of a site: the hub's peer carries 10.99.0.0/24; one direct peer for each other site carries only
    that site's probe address and has no endpoint at first. Every peer has a keepalive of 25 s.
    """

    def __init__(
        self,
        sites: int = 2,
        *,
        family: Family = 4,
        nat: Mapping[str, NatKind] | NatKind = NatKind.PORT_RESTRICTED,
        wireguard: Kind = "auto",
        knows_endpoints: bool = False,
    ) -> None:
        if not 2 <= sites <= MAX_SITES:
            raise LabError(Problem("Network", "wrong number of sites", f"2 to {MAX_SITES}", str(sites)))
        self.family: Family = family
        self.hub_address = f"{wan_prefix(family)}1"
        self._nat = nat
        self._rack = Rack()
        try:
            self._build(sites, wireguard, knows_endpoints=knows_endpoints)
        except BaseException:
            self.close()
            raise

    def _build(self, count: int, wireguard: Kind, *, knows_endpoints: bool) -> None:
        self.internet = self._machine("internet")
        self.internet.ip("link add bridge0 type bridge mcast_snooping 0", "link set bridge0 up")
        self.hub = self._machine("hub")
        self._plug(self.hub, "hub")
        self.hub.ip(add_address(self.hub_address, prefix_length(self.family), "wan"))
        self.hub.sysctl(net__ipv4__ip_forward=1)
        self.hub_device = Device(self.hub, HUB_PORT, wireguard)
        plans = [Plan(number, self.family) for number in range(1, count + 1)]
        self.sites = {plan.name: self._build_site(plan, wireguard) for plan in plans}
        self._configure(knows_endpoints=knows_endpoints)

    def _machine(self, short_name: str) -> Namespace:
        made = self._rack.namespace(short_name)
        made.sysctl(net__ipv6__conf__default__accept_dad=0, net__ipv6__conf__default__accept_ra=0)
        return made

    def _plug(self, machine: Namespace, port: str) -> None:
        """Give `machine` an interface `wan` on the internet's bridge."""
        machine.ip(f"link add wan type veth peer name {port} netns {self.internet.name}", "link set wan up")
        self.internet.ip(f"link set {port} master bridge0 up")

    def _build_site(self, plan: Plan, wireguard: Kind) -> Site:
        box, site = self._machine(f"nat-{plan.name[-1]}"), self._machine(plan.name)
        length = prefix_length(self.family)
        self._plug(box, plan.name)
        box.ip(
            add_address(plan.wan(1), length, "wan"),
            f"link add lan type veth peer name lan netns {site.name}",
            "link set lan up",
            add_address(plan.lan(1), length, "lan"),
        )
        site.ip(
            "link set lan up",
            add_address(plan.lan(2), length, "lan"),
            f"route add default via {plan.lan(1)}",
        )
        kind = self._nat if isinstance(self._nat, NatKind) else self._nat.get(plan.name, NatKind.PORT_RESTRICTED)
        nat_box = NatBox(box, kind)
        nat_box.install(plan.lan(2), SITE_PORT)
        return Site(plan, nat_box, site, wireguard)

    def _configure(self, *, knows_endpoints: bool) -> None:
        sites = list(self.sites.values())
        hub_peers = [PeerConfig(site.public_key, [f"{site.plan.tunnel}/32"]) for site in sites]
        self.hub_device.configure(hub_peers, [f"{HUB_TUNNEL}/24"])
        hub = PeerConfig(
            self.hub_device.keys.public, [TUNNEL_NET], socket_text(self.hub_address, HUB_PORT), KEEPALIVE_S
        )

        def configure(site: Site) -> None:
            direct = [
                PeerConfig(
                    other.public_key,
                    [f"{other.plan.probe}/32"],
                    socket_text(other.wan_address, SITE_PORT) if knows_endpoints else "",
                    KEEPALIVE_S,
                )
                for other in sites
                if other is not site
            ]
            site.device.configure([hub, *direct], [f"{site.plan.tunnel}/24", f"{site.plan.probe}/24"])

        with ThreadPoolExecutor(max_workers=len(sites)) as pool:
            list(pool.map(configure, sites))

    def endpoint_at_hub(self, site: Site) -> tuple[str, int] | None:
        """Return where the hub's WireGuard says that `site` is."""
        return self.hub_device.dump()[site.public_key].endpoint

    def cut(self, site: Site) -> None:
        """Let no packet pass between the site's box and the internet; the box notices nothing, keeps its mappings."""
        self.internet.ip(f"link set {site.name} nomaster")

    def restore(self, site: Site) -> None:
        """Undo `cut`."""
        self.internet.ip(f"link set {site.name} master bridge0")

    def delay(self, one_way_ms: float) -> None:
        """Make every packet that leaves the hub or a site's box take `one_way_ms` (needs the kernel's netem)."""
        for machine in (self.hub, *(site.box.namespace for site in self.sites.values())):
            try:
                machine.run("tc", "qdisc", "replace", "dev", "wan", "root", "netem", "delay", f"{one_way_ms}ms")
            except CommandError as error:
                raise LabError(Problem("delay", f"the kernel has no netem here: {error}")) from error

    def close(self) -> None:
        """Remove everything; a second call does nothing."""
        self._rack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
