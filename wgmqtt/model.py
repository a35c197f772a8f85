"""The frozen values everything else speaks of: key, endpoint, peer, router, link. Pure."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from wgmqtt.errors import Problem, WgmqttError

KEY_BYTES = 32
MAX_PORT = 65535

AnyAddress = IPv4Address | IPv6Address
AnyNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, order=True)
class PublicKey:
    """A WireGuard public key: 32 bytes, written as 44 characters of base64."""

    raw: bytes

    def __str__(self) -> str:
        return base64.b64encode(self.raw).decode("ascii")


def parse_public_key(text: str, where: str = "") -> PublicKey:
    """Return the key that `text` writes; the form is that of wg(8), PublicKey."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    key = PublicKey(raw)
    # One key has one spelling: base64 with stray low bits in the last character is refused, as wg(8) does.
    if len(raw) != KEY_BYTES or str(key) != text:
        raise WgmqttError(
            Problem(where, "not a WireGuard public key", "44 characters of base64 ending in =", repr(text), "wg pubkey")
        )
    return key


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """An address and a UDP port; the address in its canonical text, IPv6 without brackets or zone."""

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
        """Return the address as a value that can be compared with networks."""
        return ip_address(self.address)


@dataclass(frozen=True, slots=True)
class PeerState:
    """What the hub's WireGuard says of one peer. `handshake_s` is Unix time, 0 if there was none.

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
    """One router as configured. `ping` is an address that the direct peer to it, and only it, carries."""

    name: str
    key: PublicKey
    routeros: tuple[int, int]
    interface: str
    ping: str
    tunnel_address: str = ""
    site: str = ""
    lan: Endpoint | None = None
    client_certificate: str = ""
    """The name of a certificate with its key, in the router's own store, which it shows to the broker."""


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Two routers that shall reach each other directly; `first` < `second` by name."""

    first: str
    second: str

    def other(self, name: str) -> str:
        """Return the router at the far end, seen from `name`."""
        return self.second if name == self.first else self.first


def link_of(one: str, two: str) -> Link:
    """Return the link between two routers, the same whichever is named first."""
    return Link(min(one, two), max(one, two))


@dataclass(frozen=True, slots=True)
class Tls:
    """Files for a TLS connection, by their paths; empty where not used."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificates that may sign the broker's, as the routers are told of them.

    `path` is their file on the hub, in PEM; `fingerprints` are the SHA-256 of each, in hexadecimal digits.
    """

    path: str
    fingerprints: tuple[str, ...]

    @property
    def id(self) -> str:
        """Return eight digits that are others when a certificate is another, whatever else the file says."""
        return hashlib.sha256("".join(self.fingerprints).encode("ascii")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker listens: TCP (with or without TLS), or a unix socket when `unix_socket` is set."""

    host: str
    port: int = 1883
    tls: Tls | None = None
    unix_socket: str = ""


@dataclass(frozen=True, slots=True)
class Hub:
    """The hub: what it watches, and what the routers' scripts must know of it."""

    name: str
    interfaces: tuple[str, ...]
    public_key: PublicKey
    tunnel_address: str


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that was checked. Secrets stay in their files; only the paths are here."""

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
