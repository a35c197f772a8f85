"""A NAT box, built from nftables rules."""

from collections.abc import Mapping
from enum import Enum

from lab.network.netns import Namespace


class NatKind(Enum):
    """How the box maps and filters (RFC 4787, sections 4 and 5)."""

    PORT_RESTRICTED = "port-restricted"  # one public port for all destinations; only a destination may answer
    ENDPOINT_DEPENDENT = "endpoint-dependent"  # a different public port for each destination ("symmetric")
    FULL_CONE = "full-cone"  # a port forward: anyone may send to the WireGuard port
    ACCEPTING_INPUT = "accepting input"  # port-restricted, and the box itself accepts unsolicited packets
    CHANGING_PORT = "changing port"  # port-restricted, and each `change_port` changes the public port


Nat = Mapping[str, NatKind | str] | NatKind  # by site, or for all sites; a site's name: behind the box of that site


class NatBox:
    """A machine with the interfaces `wan` and `lan`, which drops unsolicited packets.

    The drop matters: a box that accepts an unsolicited packet creates a conntrack entry for it, which occupies the port
    that hole punching needs. Two such boxes never let each other's packets in.
    """

    def __init__(self, namespace: Namespace, kind: NatKind, wan_address: str) -> None:
        self.namespace = namespace
        self.kind = kind
        self.wan_address = wan_address
        self._public_port = 20_000

    def install(self, inside: str, port: int) -> None:
        """Load the rules and enable forwarding; `inside`:`port` is the site's WireGuard socket."""
        self._inside = inside, port
        self._load()
        family = "ipv6__conf__all__forwarding" if ":" in inside else "ipv4__ip_forward"
        self.namespace.sysctl(**{f"net__{family}": 1})

    def change_port(self) -> None:
        """Map the site to another public port, as a box does that created its mapping again."""
        assert self.kind is NatKind.CHANGING_PORT
        self._public_port += 1
        self._load()
        self.forget()

    def _load(self) -> None:
        rules = render_ruleset(self.kind, *self._inside, self._public_port)
        self.namespace.run("nft", "-f", "-", text_in=rules)

    def forget(self) -> None:
        """Remove all mappings, as a box does that got a new address."""
        self.namespace.run("conntrack", "--flush")


def render_ruleset(kind: NatKind, inside: str, port: int, public_port: int = 0) -> str:
    """Return the nftables rules; one table of the family inet covers IPv4 and IPv6.

    `public_port` is the public port of a box with a changing port.
    """
    how = "masquerade random,fully-random" if kind is NatKind.ENDPOINT_DEPENDENT else "masquerade"
    changing = f'oifname "wan" udp sport {port} masquerade to :{public_port};'
    first = changing if kind is NatKind.CHANGING_PORT else ""
    policy = "accept" if kind is NatKind.ACCEPTING_INPUT else "drop"
    family, target = ("ip6", f"[{inside}]") if ":" in inside else ("ip", inside)
    forward = f'iifname "wan" udp dport {port} dnat {family} to {target}:{port}' if kind is NatKind.FULL_CONE else ""
    return f"""\
table inet nat_box {{ }}
delete table inet nat_box
table inet nat_box {{
    chain postrouting_ {{ type nat hook postrouting priority srcnat; {first} oifname "wan" {how}; }}
    chain prerouting_ {{ type nat hook prerouting priority dstnat; {forward}; }}
    chain forward_ {{
        type filter hook forward priority filter; policy drop;
        iifname "lan*" accept
        ct state established,related accept
        ct status dnat accept
    }}
    chain input_ {{
        type filter hook input priority filter; policy {policy};
        iifname "lo" accept
        iifname "lan*" accept
        ct state established,related accept
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
    }}
}}
"""
