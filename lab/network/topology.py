"""The network of the lab: a hub, an internet, and sites behind NAT boxes whose public addresses can change."""

from concurrent.futures import ThreadPoolExecutor
from typing import Self

from lab.network.addresses import (
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
from lab.network.nat import Nat, NatBox, NatKind
from lab.network.netns import Namespace, Rack
from lab.network.shell import CommandError, LabError
from lab.network.site import Site
from lab.network.wireguard import Device, Kind, PeerConfig
from wgmqtt.errors import Problem

__all__ = ["Network", "Site"]


class Network:
    """The machines below, with real WireGuard and NAT. The addresses shown are for IPv4; for IPv6 see `Plan`.

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

    wg0 of a site: the hub's peer has the allowed IPs 10.99.0.0/24. Each other site is a direct peer, whose only allowed
    IP is that site's probe address, and which has no endpoint at first. Every peer has a keepalive of 25 s.
    """

    def __init__(
        self,
        sites: int = 2,
        *,
        family: Family = 4,
        nat: Nat = NatKind.PORT_RESTRICTED,
        wireguard: Kind = "auto",
        knows_endpoints: bool = False,
    ) -> None:
        """Build it. In `nat`, a site's name instead of a kind puts a site behind the box of that earlier site."""
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
        self.sites: dict[str, Site] = {}
        for plan in plans:
            self.sites[plan.name] = self._build_site(plan, wireguard)
        self._configure(knows_endpoints=knows_endpoints)

    def _machine(self, short_name: str) -> Namespace:
        made = self._rack.namespace(short_name)
        made.sysctl(net__ipv6__conf__default__accept_dad=0, net__ipv6__conf__default__accept_ra=0)
        return made

    def _plug(self, machine: Namespace, port: str) -> None:
        """Add an interface `wan` to `machine` and connect it to the internet's bridge."""
        machine.ip(f"link add wan type veth peer name {port} netns {self.internet.name}", "link set wan up")
        self.internet.ip(f"link set {port} master bridge0 up")

    def _build_site(self, plan: Plan, wireguard: Kind) -> Site:
        kind = self._nat if isinstance(self._nat, NatKind) else self._nat.get(plan.name, NatKind.PORT_RESTRICTED)
        host = None if isinstance(kind, NatKind) else self.sites[kind]
        nat_box = host.box if host else self._build_box(plan, NatKind(kind))
        box, site = nat_box.namespace, self._machine(plan.name)
        length, port = prefix_length(self.family), f"lan{plan.number}"
        box.ip(
            f"link add {port} type veth peer name lan netns {site.name}",
            f"link set {port} up",
            add_address(plan.lan(1), length, port),
        )
        site.ip(
            "link set lan up",
            add_address(plan.lan(2), length, "lan"),
            f"route add default via {plan.lan(1)}",
        )
        return Site(plan, host.home if host else plan, nat_box, site, wireguard)

    def _build_box(self, plan: Plan, kind: NatKind) -> NatBox:
        box = self._machine(f"nat-{plan.name[-1]}")
        self._plug(box, plan.name)
        box.ip(add_address(plan.wan(1), prefix_length(self.family), "wan"))
        nat_box = NatBox(box, kind, plan.wan(1))
        nat_box.install(plan.lan(2), SITE_PORT)
        return nat_box

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
        """Return the endpoint of `site` in the hub's WireGuard."""
        return self.hub_device.dump()[site.public_key].endpoint

    def cut(self, site: Site) -> None:
        """Disconnect the site's box from the internet; the box keeps its mappings."""
        self.internet.ip(f"link set {site.home.name} nomaster")

    def restore(self, site: Site) -> None:
        """Connect the site's box to the internet again."""
        self.internet.ip(f"link set {site.home.name} master bridge0")

    def delay(self, one_way_ms: float) -> None:
        """Delay every packet that leaves the hub or a site's box (needs the kernel's netem)."""
        for machine in (self.hub, *(site.box.namespace for site in self.sites.values())):
            try:
                machine.run("tc", "qdisc", "replace", "dev", "wan", "root", "netem", "delay", f"{one_way_ms}ms")
            except CommandError as error:
                raise LabError(Problem("delay", f"this kernel has no netem: {error}")) from error

    def close(self) -> None:
        """Remove everything; a second call does nothing."""
        self._rack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
