"""Setting the same endpoint again, with each position of the switches for it."""

import time
from collections.abc import Callable, Iterator

import pytest

from lab.network.addresses import HUB_PORT, HUB_TUNNEL
from lab.network.topology import Network
from lab.testbed.events import EventLog
from lab.testbed.site_router import SiteRouter

pytestmark = pytest.mark.lab

WAIT_S = 10.0


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network(2) as made:
        yield made


class Pair:
    """Site a, its router, and its peer hub."""

    def __init__(self, network: Network, **switches: str) -> None:
        self.site = network.sites["site-a"]
        self.hub = network.hub_device.keys.public
        self.endpoint = (network.hub_address, HUB_PORT)
        self.site.device.set_endpoint(self.hub, "{}:{}".format(*self.endpoint))
        self.router = SiteRouter(self.site, EventLog(), "7.20.8", switches)
        self.until(lambda: self.site.pings(HUB_TUNNEL))
        assert self.has_session

    @property
    def has_session(self) -> bool:
        """Return whether there was a handshake since the peer was made."""
        return self.site.device.dump()[self.hub].handshake_s > 0

    @property
    def current(self) -> tuple[str, int] | None:
        """Return the peer's endpoint in the device."""
        return self.site.device.dump()[self.hub].endpoint

    def set_same(self) -> None:
        """Set the configured endpoint once more."""
        found = f'[/interface/wireguard/peers/find where public-key="{self.hub}"]'
        address, port = self.endpoint
        self.router.run(f"/interface/wireguard/peers/set {found} endpoint-address={address} endpoint-port={port}")

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds."""
        given_up = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < given_up
            time.sleep(0.05)


def test_same_endpoint_usually_keeps_the_session(network: Network) -> None:
    pair = Pair(network)
    rx = pair.site.device.dump()[pair.hub].rx
    pair.set_same()
    assert pair.has_session
    assert pair.site.device.dump()[pair.hub].rx >= rx > 0
    pair.router.stop()


def test_same_endpoint_disturbs_drops_the_session_and_keeps_the_peer(network: Network) -> None:
    pair = Pair(network, same_endpoint_disturbs="yes")
    before = pair.site.device.dump()[pair.hub]
    pair.set_same()
    after = pair.site.device.dump()[pair.hub]
    assert (after.endpoint, after.allowed_ips, after.keepalive_s) == (before.endpoint, before.allowed_ips, 25)
    assert after.rx < before.rx
    pair.until(lambda: pair.site.pings(HUB_TUNNEL))
    pair.router.stop()


@pytest.mark.parametrize(("ignored", "comes_back"), [("no", True), ("yes", False)])
def test_same_endpoint_brings_a_stray_peer_back_unless_ignored(
    network: Network,
    ignored: str,
    comes_back: bool,  # noqa: FBT001 - a table
) -> None:
    pair = Pair(network, same_endpoint_ignored=ignored)
    pair.site.device.set_endpoint(pair.hub, "203.0.113.250:9")
    pair.set_same()
    assert (pair.current == pair.endpoint) is comes_back
    pair.router.stop()
