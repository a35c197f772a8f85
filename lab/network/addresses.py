"""The addresses of the lab, inside the tunnels and outside."""

from dataclasses import dataclass
from typing import Literal

HUB_PORT = 51820
SITE_PORT = 13231  # RouterOS's own default
KEEPALIVE_S = 25
HUB_TUNNEL = "10.99.0.1"
TUNNEL_NET = "10.99.0.0/24"
MAX_SITES = 5
Family = Literal[4, 6]


@dataclass(frozen=True, slots=True)
class Plan:
    """The addresses of site number 1, 2, …; `family` is the address family outside the tunnels."""

    number: int
    family: Family

    @property
    def name(self) -> str:
        """Return the name of the site and of its router: site-a for number 1."""
        return f"site-{'abcde'[self.number - 1]}"

    def wan(self, which: Literal[1, 2]) -> str:
        """Return the public address of the site's NAT box at home (1) or after a move (2)."""
        return f"{wan_prefix(self.family)}{self.number}{which}"

    def lan(self, host: Literal[1, 2]) -> str:
        """Return the private address of the NAT box (1) or of the site (2)."""
        return f"192.168.{self.number}.{host}" if self.family == 4 else f"fd00:{self.number}::{host}"

    @property
    def tunnel(self) -> str:
        """Return the address in the hub's tunnel."""
        return f"10.99.0.{self.number + 1}"

    @property
    def probe(self) -> str:
        """Return the address that only a direct peer of this site has in its allowed IPs."""
        return f"10.98.0.{self.number + 1}"


def wan_prefix(family: Family) -> str:
    """Return the prefix of all addresses of the lab's internet (reserved for documentation: RFC 5737, RFC 3849)."""
    return "203.0.113." if family == 4 else "2001:db8:cafe::"


def wan_net(family: Family) -> str:
    """Return the network of the lab's internet."""
    return f"{wan_prefix(family)}{'0' if family == 4 else ''}/{prefix_length(family)}"


def prefix_length(family: Family) -> int:
    """Return the prefix length of every network outside the tunnels."""
    return 24 if family == 4 else 64


def socket_text(address: str, port: int) -> str:
    """Return address and port in the notation of wg(8)."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def add_address(address: str, length: int, device: str) -> str:
    """Return the ip(8) line; IPv6 without duplicate address detection, which takes one to two seconds."""
    return f"addr add {address}/{length} dev {device}{' nodad' if ':' in address else ''}"
