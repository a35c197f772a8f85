"""An endpoint that a person or a script sets on the hub is no news until WireGuard hears the peer there."""

import signal
import time
from collections.abc import Callable

import pytest

from lab.checks.switch import settle
from lab.network.topology import Site
from lab.testbed.events import PATIENCE_S
from lab.testbed.lab import Lab
from lab.testbed.setting import Setting

pytestmark = pytest.mark.lab

POLL_S = 0.2
QUIET_S = 2.0
NOBODY = "203.0.113.77:4242"


def wait_until_silent(lab: Lab, site: Site) -> None:
    """Wait until the hub has received nothing from the site for three polls."""
    before, since_s, deadline = -1, time.monotonic(), time.monotonic() + PATIENCE_S
    while time.monotonic() - since_s < POLL_S * 3:
        assert time.monotonic() < deadline, "the site goes on sending"
        received = lab.network.hub_device.dump()[site.public_key].rx
        if received != before:
            before, since_s = received, time.monotonic()
        time.sleep(0.05)


def set_endpoint(lab: Lab, site: Site) -> None:
    """Set it as a person would."""
    lab.network.hub_device.set_endpoint(site.public_key, NOBODY)


def apply_configuration(lab: Lab, site: Site) -> None:
    """Set it as a script would that applies a configuration with `Endpoint =` to a device in use."""
    device = lab.network.hub_device
    peer = f"[Peer]\nPublicKey = {site.public_key}\nAllowedIPs = {site.plan.tunnel}/32\nEndpoint = {NOBODY}\n"
    device.namespace.run("wg", "addconf", device.name, "/dev/stdin", text_in=peer)


@pytest.mark.parametrize("act", [set_endpoint, apply_configuration])
def test_endpoint_set_on_the_hub_is_not_published_and_the_next_move_is(act: Callable[[Lab, Site], None]) -> None:
    with Lab(Setting(config={"poll_s": POLL_S})) as lab:
        lab.start()
        settle(lab)
        site = lab.network.sites["site-a"]
        wait_until_silent(lab, site)
        since_ns = lab.log.note("lab", "endpoint set").t_ns
        act(lab, site)
        assert lab.network.endpoint_at_hub(site) == ("203.0.113.77", 4242)
        lab.daemon.signal(signal.SIGHUP)
        lab.log.expect("hub", "configuration reloaded", PATIENCE_S, since_ns=since_ns)
        time.sleep(QUIET_S)
        assert not lab.log.find("hub", "endpoint changed", since_ns=since_ns)
        # Tables may follow for other reasons, such as a retry of a link; none may have the endpoint.
        messages = lab.log.find("viewer", "message", since_ns=since_ns)
        assert not [each for each in messages if NOBODY.partition(":")[0] in str(each.data["payload"])]
        assert lab.writes("site-b", since_ns=since_ns) == []
        moved = lab.move("site-a")
        changed = lab.log.expect("hub", "endpoint changed", PATIENCE_S, since_ns=moved.t_ns, router="site-a")
        assert site.wan_address in str(changed.data["endpoint"])
        lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)


def test_endpoint_set_while_the_daemon_starts_is_not_published() -> None:
    """A reboot with `Endpoint =` in wg0.conf: no session lasts, so nothing is known until a site is heard."""
    with Lab(Setting(config={"poll_s": POLL_S})) as lab:
        for site in lab.network.sites.values():
            lab.network.hub_device.namespace.run("wg", "set", "wg0", "peer", site.public_key, "remove")
            apply_configuration(lab, site)
        lab.start_daemon()
        lab.log.expect("hub", "broker ready", PATIENCE_S)
        time.sleep(QUIET_S)
        assert not lab.log.find("hub", "endpoint changed", endpoint=NOBODY)
        assert not lab.log.find("hub", "endpoints changed")
