"""A router whose handshakes WireGuard rejects: the hub sees its packets, and that no endpoint changes."""

import pytest

from lab.network.addresses import socket_text
from lab.testbed.events import PATIENCE_S
from lab.testbed.hub_with_site import HubWithSite

pytestmark = pytest.mark.lab


def test_rejected_handshakes_are_reported_with_their_source() -> None:
    """The site has a key that the hub does not know; a site whose clock went back looks the same from outside."""
    with HubWithSite() as hub:
        hub.watch_with_hints()
        since_ns = hub.log.note("lab", "other key").t_ns
        key = hub.site.run("wg", "genkey")
        hub.site.run("wg", "set", "wg0", "listen-port", "20007", "private-key", "/dev/stdin", text_in=key)
        hub.site.run("sh", "-c", "ping -n -c 2 -W 1 10.99.0.1 || true")
        place = socket_text(hub.site_address, 20007)
        hub.log.expect("watch", "rejected", PATIENCE_S, since_ns=since_ns, sources=[place])


def test_router_that_moves_is_not_reported_as_rejected() -> None:
    with HubWithSite() as hub:
        hub.watch_with_hints()
        for number in (1, 2, 3):
            hub.move(number)
        assert not hub.events_within("rejected", 1.0)
