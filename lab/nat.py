"""A NAT box: what a customer's router does to packets. Edge: talks to nft(8) and conntrack(8)."""

from enum import Enum

from lab.netns import Namespace


class NatKind(Enum):
    """How the box maps and filters (RFC 4787, sections 4 and 5)."""

    PORT_RESTRICTED = "port-restricted"  # one public port for all destinations; only who was sent to may answer
    ENDPOINT_DEPENDENT = "endpoint-dependent"  # another public port for each destination ("symmetric")
    FULL_CONE = "full-cone"  # a port forward: anyone may send to the WireGuard port


class NatBox:
    """A machine with the interfaces `wan` and `lan`. It drops whatever nobody inside asked for.

    That drop matters: where the box itself accepts an unsolicited packet, the packet leaves a conntrack entry, which
    takes the very port that the hole needs, and two such boxes never open for each other.
    """

    def __init__(self, namespace: Namespace, kind: NatKind) -> None:
        self.namespace = namespace
        self.kind = kind

    def install(self, inside: str, port: int) -> None:
        """Load the rules and start to forward; `inside`:`port` is the site's WireGuard socket."""
        self.namespace.run("nft", "-f", "-", text_in=render_ruleset(self.kind, inside, port))
        family = "ipv6__conf__all__forwarding" if ":" in inside else "ipv4__ip_forward"
        self.namespace.sysctl(**{f"net__{family}": 1})

    def forget(self) -> None:
        """Drop every mapping, as a box that got a new address does."""
        self.namespace.run("conntrack", "--flush")


def render_ruleset(kind: NatKind, inside: str, port: int) -> str:
    """Return the nftables rules; one table of the family inet does IPv4 and IPv6."""
    how = "masquerade random,fully-random" if kind is NatKind.ENDPOINT_DEPENDENT else "masquerade"
    family, target = ("ip6", f"[{inside}]") if ":" in inside else ("ip", inside)
    forward = f'iifname "wan" udp dport {port} dnat {family} to {target}:{port}' if kind is NatKind.FULL_CONE else ""
    return f"""\
table inet nat_box {{
    chain postrouting_ {{ type nat hook postrouting priority srcnat; oifname "wan" {how}; }}
    chain prerouting_ {{ type nat hook prerouting priority dstnat; {forward}; }}
    chain forward_ {{
        type filter hook forward priority filter; policy drop;
        iifname "lan" accept
        ct state established,related accept
        ct status dnat accept
    }}
    chain input_ {{
        type filter hook input priority filter; policy drop;
        iifname {{ "lo", "lan" }} accept
        ct state established,related accept
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
    }}
}}
"""
