"""A NAT box: what a customer's router does to packets. Edge: talks to nft(8) and conntrack(8)."""

from collections.abc import Mapping
from enum import Enum

from lab.network.netns import Namespace


class NatKind(Enum):
    """How the box maps and filters (RFC 4787, sections 4 and 5)."""

    PORT_RESTRICTED = "port-restricted"  # one public port for all destinations; only who was sent to may answer
    ENDPOINT_DEPENDENT = "endpoint-dependent"  # another public port for each destination ("symmetric")
    FULL_CONE = "full-cone"  # a port forward: anyone may send to the WireGuard port
    ACCEPTING_INPUT = "accepting input"  # port-restricted, and the box itself takes what nobody asked for
    CHANGING_PORT = "changing port"  # port-restricted, but its port is another one after each `change_port`


Nat = Mapping[str, NatKind | str] | NatKind  # of each site, or of all; a site's name: behind that site's box


class NatBox:
    """A machine with the interfaces `wan` and `lan`. It drops whatever nobody inside asked for.

    That drop matters: where the box itself accepts an unsolicited packet, the packet leaves a conntrack entry, which
    takes the very port that the hole needs, and two such boxes never open for each other.
    """

    def __init__(self, namespace: Namespace, kind: NatKind, wan_address: str) -> None:
        self.namespace = namespace
        self.kind = kind
        self.wan_address = wan_address
        self._public_port = 20_000

    def install(self, inside: str, port: int) -> None:
        """Load the rules and start to forward; `inside`:`port` is the site's WireGuard socket."""
        self._inside = inside, port
        self._load()
        family = "ipv6__conf__all__forwarding" if ":" in inside else "ipv4__ip_forward"
        self.namespace.sysctl(**{f"net__{family}": 1})

    def change_port(self) -> None:
        """Show the site at another port, as a box does that made its mapping anew."""
        assert self.kind is NatKind.CHANGING_PORT
        self._public_port += 1
        self._load()
        self.forget()

    def _load(self) -> None:
        rules = render_ruleset(self.kind, *self._inside, self._public_port)
        self.namespace.run("nft", "-f", "-", text_in=rules)

    def forget(self) -> None:
        """Drop every mapping, as a box that got a new address does."""
        self.namespace.run("conntrack", "--flush")


def render_ruleset(kind: NatKind, inside: str, port: int, public_port: int = 0) -> str:
    """Return the nftables rules; one table of the family inet does IPv4 and IPv6.

    `public_port` is where a box with a changing port shows what comes from `port`.
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
