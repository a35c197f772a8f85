"""WireGuard's interfaces come, go, hang and come back while the daemon runs: said once, nothing lost."""

import time
from collections.abc import Iterator

import pytest

from lab.testbed.standalone_hub import StandaloneHub

pytestmark = pytest.mark.lab

TROUBLE = "interface cannot be read"
BACK = "interface readable again"
QUIET_S = 1.0


@pytest.fixture
def hub() -> Iterator[StandaloneHub]:
    """Give a hub of three routers, serving."""
    with StandaloneHub() as made:
        yield made.serve()


def meet(hub: StandaloneHub) -> None:
    """Let two routers be seen and told."""
    hub.see(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"))
    hub.told("berlin", "cologne", "203.0.113.2:1002")
    hub.told("cologne", "berlin", "203.0.113.1:1001")


def test_interface_missing_at_start_is_waited_for() -> None:
    with StandaloneHub() as hub:
        hub.start_broker()
        hub.daemon.start()
        assert hub.said(TROUBLE, interface="wg0").data["level"] == "warning"
        time.sleep(QUIET_S)
        assert hub.warnings() == [TROUBLE]
        hub.add_interface()
        hub.said(BACK, interface="wg0")
        meet(hub)
        assert hub.warnings() == [TROUBLE]


def test_interface_deleted_and_made_again_with_other_peers_takes_nothing_back(hub: StandaloneHub) -> None:
    meet(hub)
    gone_ns = hub.log.note("lab", "mark").t_ns
    hub.remove_interface()
    hub.said(TROUBLE, interface="wg0", since_ns=gone_ns)
    time.sleep(QUIET_S)
    assert hub.published(since_ns=gone_ns) == []
    hub.add_interface()
    hub.see(("dresden", "203.0.113.3:1003"))
    hub.said(BACK, since_ns=gone_ns)
    hub.told("berlin", "dresden", "203.0.113.3:1003")
    hub.told("dresden", "berlin", "203.0.113.1:1001")
    hub.told("dresden", "cologne", "203.0.113.2:1002")
    assert hub.warnings() == [TROUBLE]


def test_two_interfaces_at_once_are_both_watched() -> None:
    hub_section = {"name": "hub1", "interfaces": ["wg0", "wg1"], "tunnel_address": "10.99.0.1"}
    with StandaloneHub() as hub:
        hub.settings["hub"] = hub_section | {"public_key": hub.hub_key}
        hub.write_config()
        hub.add_interface("wg1")
        hub.serve()
        hub.see(("berlin", "203.0.113.1:1001"), interface="wg0")
        hub.see(("cologne", "203.0.113.2:1002"), interface="wg1")
        hub.told("berlin", "cologne", "203.0.113.2:1002")
        hub.remove_interface("wg1")
        hub.said(TROUBLE, interface="wg1")
        hub.see(("dresden", "203.0.113.3:1003"), interface="wg0")
        hub.told("cologne", "dresden", "203.0.113.3:1003")
        assert hub.warnings() == [TROUBLE]


def test_device_that_hangs_is_said_once_and_the_daemon_goes_on(hub: StandaloneHub) -> None:
    meet(hub)
    hub.hang()
    assert "did not answer in time" in str(hub.said(TROUBLE, interface="wg0").data["reason"])
    hub.go_on()
    hub.see(("dresden", "203.0.113.3:1003"))
    hub.said(BACK, interface="wg0")
    hub.told("berlin", "dresden", "203.0.113.3:1003")
    assert hub.warnings() == [TROUBLE]


def test_peers_added_removed_and_added_again(hub: StandaloneHub) -> None:
    meet(hub)
    hub.forget("berlin")
    hub.see(("dresden", "203.0.113.3:1003"), ("a phone", "203.0.113.200:5"))
    hub.told("cologne", "dresden", "203.0.113.3:1003")
    assert '"address":"203.0.113.1"' in str(hub.published()[-1].data["payload"]), "a removed peer takes nothing back"
    hub.see(("berlin", "203.0.113.44:1044"))
    hub.told("cologne", "berlin", "203.0.113.44:1044")
    assert not [event for event in hub.published() if "phone" in str(event.data["payload"])]
    assert hub.warnings() == []
