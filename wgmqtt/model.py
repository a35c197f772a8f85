"""The frozen values that every room uses: key, endpoint, peer, router, link, configuration."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from wgmqtt.errors import Problem, WgmqttError, invalid

KEY_BYTES = 32
MAX_PORT = 65535
OLDEST_ROUTEROS = (7, 17)  # options=json.no-string-conversion of :serialize came with it

AnyAddress = IPv4Address | IPv6Address
AnyNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, order=True)
class PublicKey:
    """A WireGuard public key: 32 bytes, written as 44 characters of base64."""

    raw: bytes

    def __str__(self) -> str:
        return base64.b64encode(self.raw).decode("ascii")


def parse_public_key(text: str, where: str = "") -> PublicKey:
    """Return the key in `text`, which has the form of PublicKey in wg(8)."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    key = PublicKey(raw)
    # wg(8) also rejects base64 with stray low bits in the last character, so that a key has one spelling.
    if len(raw) != KEY_BYTES or str(key) != text:
        raise WgmqttError(
            Problem(
                where, "not a WireGuard public key", "44 characters of base64 ending in =", repr(text), "see wg show"
            )
        )
    return key


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """An address and a UDP port. The address is in its canonical form, IPv6 without brackets or zone."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def family(self) -> int:
        """Return 4 or 6."""
        return 6 if ":" in self.address else 4

    @property
    def ip(self) -> AnyAddress:
        """Return the address as an object that networks can contain."""
        return ip_address(self.address)


def parse_port(text: str) -> int:
    """Return the port in `text`: decimal digits, 1 to 65535."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > MAX_PORT:
        raise invalid("not a port")
    return int(text)


def parse_address(text: str) -> str:
    """Return the canonical form of an address by which other machines can reach one machine."""
    try:
        address = ip_address(text)
    except ValueError:
        hint = "write it without the prefix length" if "/" in text else ""
        raise invalid("not an IP address", hint) from None
    what = hint = ""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        what = "an address with a zone is valid on one machine only"
    elif isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        what, hint = "an IPv4 address in IPv6 form", f"write {address.ipv4_mapped}"
    elif any((address.is_loopback, address.is_link_local, address.is_multicast, address.is_unspecified)):
        what = "other machines cannot reach this address"
    elif str(address) == "255.255.255.255":
        what = "a broadcast address is not one machine's"
    if what:
        raise invalid(what, hint)
    return str(address)


def reach_of(host: str) -> str:
    """Return how far packets to a host go: `loopback`, `private` or `public`, as a name may be; or `unspecified`."""
    try:
        address = ip_address(host)
    except ValueError:
        return "loopback" if host == "localhost" or host.endswith(".localhost") else "public" if host else ""
    if address.is_loopback or address.is_unspecified:
        return "loopback" if address.is_loopback else "unspecified"
    return "public" if address.is_global else "private"


def parse_endpoint(text: str) -> Endpoint:
    """Return the endpoint in `text`: `ADDRESS:PORT` or `[IPV6]:PORT`."""
    address, port = _split_endpoint(text)
    return Endpoint(parse_address(address), parse_port(port))


def parse_listen(text: str) -> Endpoint:
    """Return the address and port to listen on; it may be a loopback or a wildcard address, which no endpoint is."""
    address, port = _split_endpoint(text)
    try:
        return Endpoint(str(ip_address(address)), parse_port(port))
    except ValueError:
        raise invalid("not an IP address") from None


def _split_endpoint(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"\[([^\]]+)\]:([0-9]+)|([^:]+):([0-9]+)", text)
    if not match:
        raise invalid("not an address with a port")
    if match[1] and ":" not in match[1]:
        raise invalid("brackets are for IPv6 addresses only")
    return match[1] or match[3], match[2] or match[4]


@cache  # many routers have few versions
def parse_routeros(text: str) -> tuple[int, int]:
    """Return major and minor of a RouterOS version, at least `OLDEST_ROUTEROS`."""
    parts = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,3})(\.[0-9]{1,3})?", text)
    if not parts:
        raise invalid("not a RouterOS version")
    version = (int(parts[1]), int(parts[2]))
    if version < OLDEST_ROUTEROS:
        raise invalid("RouterOS is too old", "upgrade the router: 7.16 lacks an option of :serialize")
    if version[0] > OLDEST_ROUTEROS[0]:
        raise invalid("unknown RouterOS version")
    return version


def parse_network(text: str) -> AnyNetwork:
    """Return the network in `text`, which has no bits set beyond its prefix length."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise invalid("not a network") from None
    if ip_address(text.partition("/")[0]) != network.network_address:
        raise invalid("an address inside a network, not the network", f"did you mean {network}?")
    return network


@dataclass(frozen=True, slots=True)
class PeerState:
    """The state of one peer in the hub's WireGuard. `handshake_s` is Unix time, 0 if there was no handshake.

    `is_heard`: WireGuard received authenticated packets of the peer since the poll before, so its endpoint is where it
    is. Otherwise the endpoint may be one that a person or a script set on the hub.
    """

    key: PublicKey
    endpoint: Endpoint | None
    handshake_s: float
    rx: int = 0
    tx: int = 0
    is_heard: bool = False


@dataclass(frozen=True, slots=True)
class Router:
    """One router as configured. `ping` is an address that only the direct peers to it have as allowed address."""

    name: str
    key: PublicKey
    routeros: tuple[int, int]
    interface: str
    ping: str
    tunnel_address: str = ""
    site: str = ""
    lan: Endpoint | None = None
    client_certificate: str = ""
    """The name, in the router's own store, of the certificate that it presents to the broker."""
    public_endpoint: Endpoint | None = None
    """What others learn in place of the endpoint that the hub sees: for a router on the hub's own network."""


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Two routers that should reach each other directly; `first` < `second` by name."""

    first: str
    second: str

    def other(self, name: str) -> str:
        """Return the router at the other end from `name`."""
        return self.second if name == self.first else self.first


def link_of(one: str, two: str) -> Link:
    """Return the link between two routers, in whichever order they are given."""
    return Link(min(one, two), max(one, two))


@dataclass(frozen=True, slots=True)
class Tls:
    """The paths of files for a TLS connection; empty if not used."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificates that may sign the broker's and that routers import.

    `path` is their PEM file on the hub; `fingerprints` are their SHA-256 in hexadecimal.
    """

    path: str
    fingerprints: tuple[str, ...]

    @property
    def id(self) -> str:
        """Return eight hexadecimal digits that depend on the certificates alone, not on other text in the file."""
        return hashlib.sha256("".join(self.fingerprints).encode("ascii")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker listens: at a Unix socket if `unix_socket` is set, else at a TCP port, with or without TLS."""

    host: str
    port: int = 1883
    tls: Tls | None = None
    unix_socket: str = ""


@dataclass(frozen=True, slots=True)
class Hub:
    """The hub: what it watches, and what the routers' scripts contain about it."""

    name: str
    interfaces: tuple[str, ...]
    public_key: PublicKey
    tunnel_address: str


@dataclass(frozen=True, slots=True)
class Web:
    """Where `wgmqtt web` listens, None for the hub's tunnel address and port 8080, and the host names it answers to."""

    listen: Endpoint | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """A valid configuration. It holds the paths of secrets, not the secrets."""

    hub: Hub
    broker: BrokerAddress
    broker_for_routers: BrokerAddress
    username: str
    password_file: str
    router_password_dir: str
    prefix: str
    routers: tuple[Router, ...]
    links: frozenset[Link]
    also_publish: tuple[AnyNetwork, ...] = ()
    poll_s: float = 1.0
    wireguard: str = "auto"
    hints: str = "auto"
    cpu_percent: float = 1.0
    web: Web = Web()
