"""Which endpoint of a router others learn: global addresses, and those of networks that the configuration names."""

from collections.abc import Iterable

from wgmqtt.engine.state import RouterRecord
from wgmqtt.model import AnyNetwork, Endpoint


def announce(record: RouterRecord, endpoint: Endpoint, also_publish: Iterable[AnyNetwork]) -> None:
    """Let others learn this endpoint, if it may be published at all."""
    record.released = endpoint
    record.announced = endpoint if is_publishable(endpoint, also_publish) else None


def announce_again(record: RouterRecord, also_publish: Iterable[AnyNetwork]) -> None:
    """Apply another list of networks to the endpoint that was released last."""
    if record.released is not None:
        announce(record, record.released, also_publish)


def is_publishable(endpoint: Endpoint, also_publish: Iterable[AnyNetwork]) -> bool:
    """Return whether an address is global, or in one of the networks that the configuration names."""
    ip = endpoint.ip
    return (ip.is_global and not ip.is_multicast) or any(ip in network for network in also_publish)
