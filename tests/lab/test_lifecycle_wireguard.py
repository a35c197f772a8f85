"""WireGuard interfaces appear, disappear and hang while the daemon runs: one warning each, and nothing is lost."""

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
    """Give a running hub with three routers."""
    with StandaloneHub() as made:
        yield made.start()


def publish_two(hub: StandaloneHub) -> None:
    """Let two routers appear, and wait for their tables."""
    hub.set_endpoints(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"))
    hub.expect_table("berlin", "cologne", "203.0.113.2:1002")
    hub.expect_table("cologne", "berlin", "203.0.113.1:1001")


def test_interface_missing_at_start_is_waited_for() -> None:
    with StandaloneHub() as hub:
        hub.start_broker()
        hub.daemon.start()
        assert hub.expect_log(TROUBLE, interface="wg0").data["level"] == "warning"
        time.sleep(QUIET_S)
        assert hub.warnings() == [TROUBLE]
        hub.add_interface()
        hub.expect_log(BACK, interface="wg0")
        publish_two(hub)
        assert hub.warnings() == [TROUBLE]


def test_interface_deleted_and_created_again_with_other_peers_withdraws_nothing(hub: StandaloneHub) -> None:
    publish_two(hub)
    gone_ns = hub.log.note("lab", "mark").t_ns
    hub.remove_interface()
    hub.expect_log(TROUBLE, interface="wg0", since_ns=gone_ns)
    time.sleep(QUIET_S)
    assert hub.published(since_ns=gone_ns) == []
    hub.add_interface()
    hub.set_endpoints(("dresden", "203.0.113.3:1003"))
    hub.expect_log(BACK, since_ns=gone_ns)
    hub.expect_table("berlin", "dresden", "203.0.113.3:1003")
    hub.expect_table("dresden", "berlin", "203.0.113.1:1001")
    hub.expect_table("dresden", "cologne", "203.0.113.2:1002")
    assert hub.warnings() == [TROUBLE]


def test_two_interfaces_at_once_are_both_watched() -> None:
    hub_section = {"name": "hub1", "interfaces": ["wg0", "wg1"], "tunnel_address": "10.99.0.1"}
    with StandaloneHub() as hub:
        hub.settings["hub"] = hub_section | {"public_key": hub.hub_key}
        hub.write_config()
        hub.add_interface("wg1")
        hub.start()
        hub.set_endpoints(("berlin", "203.0.113.1:1001"), interface="wg0")
        hub.set_endpoints(("cologne", "203.0.113.2:1002"), interface="wg1")
        hub.expect_table("berlin", "cologne", "203.0.113.2:1002")
        hub.remove_interface("wg1")
        hub.expect_log(TROUBLE, interface="wg1")
        hub.set_endpoints(("dresden", "203.0.113.3:1003"), interface="wg0")
        hub.expect_table("cologne", "dresden", "203.0.113.3:1003")
        assert hub.warnings() == [TROUBLE]


def test_device_that_hangs_is_warned_of_once_and_the_daemon_continues(hub: StandaloneHub) -> None:
    publish_two(hub)
    hub.suspend_device()
    assert "did not answer in time" in str(hub.expect_log(TROUBLE, interface="wg0").data["reason"])
    hub.resume_device()
    hub.set_endpoints(("dresden", "203.0.113.3:1003"))
    hub.expect_log(BACK, interface="wg0")
    hub.expect_table("berlin", "dresden", "203.0.113.3:1003")
    assert hub.warnings() == [TROUBLE]


def test_peers_added_removed_and_added_again(hub: StandaloneHub) -> None:
    publish_two(hub)
    hub.remove_peer("berlin")
    hub.set_endpoints(("dresden", "203.0.113.3:1003"), ("a phone", "203.0.113.200:5"))
    hub.expect_table("cologne", "dresden", "203.0.113.3:1003")
    assert '"address":"203.0.113.1"' in str(hub.published()[-1].data["payload"]), "a removed peer withdraws nothing"
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_table("cologne", "berlin", "203.0.113.44:1044")
    assert not [event for event in hub.published() if "phone" in str(event.data["payload"])]
    assert hub.warnings() == []


def test_interface_without_a_listen_port_is_reported_until_it_has_one() -> None:
    """Without the port, the kernel cannot report packets to it: there are no hints, and somebody should know."""
    with StandaloneHub() as hub:
        hub.start_broker()
        hub.add_interface()
        hub.namespace.run("wg", "set", "wg0", "listen-port", "0")
        hub.daemon.start()
        said = hub.expect_log("hints unavailable, polling only")
        assert "wg0 listens on no port" in str(said.data["reason"])
        hub.namespace.run("wg", "set", "wg0", "listen-port", "51820")
        hub.expect_log("hints active", since_ns=said.t_ns)
        assert hub.warnings() == ["hints unavailable, polling only"]
