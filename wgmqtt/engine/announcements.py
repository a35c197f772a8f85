"""Which endpoint of a router others learn: usable addresses that are global, or in a network of the configuration."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network

from wgmqtt.engine.state import RouterRecord
from wgmqtt.model import AnyNetwork, Endpoint

CARRIER_NAT = ip_network("100.64.0.0/10")  # RFC 6598


def announce(record: RouterRecord, endpoint: Endpoint, also_publish: Iterable[AnyNetwork]) -> None:
    """Let others learn this endpoint, if it may be published at all; a configured public endpoint takes its place."""
    record.released = endpoint
    if record.router.public_endpoint is not None:
        record.announced = record.router.public_endpoint
    else:
        record.announced = None if reason_not_to_publish(endpoint, also_publish) else endpoint


def announce_again(record: RouterRecord, also_publish: Iterable[AnyNetwork]) -> None:
    """Apply a new configuration to the endpoint that was released last."""
    if record.released is not None:
        announce(record, record.released, also_publish)


def reason_not_to_publish(endpoint: Endpoint, also_publish: Iterable[AnyNetwork]) -> str:
    """Return in words why no other router may learn an endpoint; empty if it may."""
    ip = endpoint.ip
    if endpoint.port == 0:
        return "it has port 0"
    if not _is_unicast(ip):
        return "it is not the address of one host"
    if ip.is_global or any(ip in network for network in also_publish):
        return ""
    return "it is shared by a provider's NAT (CGNAT)" if ip in CARRIER_NAT else "it is private"


def _is_unicast(ip: IPv4Address | IPv6Address) -> bool:
    """Return whether an address can be that of another host; no configuration makes the others publishable."""
    if isinstance(ip, IPv4Address) and ip.packed[0] == 0:
        return False
    return not (ip.is_loopback or ip.is_multicast or ip.is_unspecified or _is_reserved(ip))


def _is_reserved(ip: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is reserved by the IETF; 240.0.0.0/4 has the broadcast address."""
    if isinstance(ip, IPv6Address) and ip.packed[:2] == b"\x00\x64":
        return False  # 64:ff9b::/96, an IPv4 address behind NAT64 (RFC 6052)
    return ip.is_reserved
