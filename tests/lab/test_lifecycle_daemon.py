"""The daemon's lifecycle: signals, reloads, restarts, a second daemon, dry runs, freezing."""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from lab.testbed.events import PATIENCE_S, wait_until
from lab.testbed.standalone_hub import PREFIX, StandaloneHub, key_of
from tests.lab.hub_steps import await_cleared, cleared, expect_online, now_ns, reload

pytestmark = pytest.mark.lab

RIVAL = "another daemon is active for this hub, standing by"
REFUSED = "configuration rejected, keeping the previous one"
UNREADABLE = "freeze file cannot be read, keeping the last state"
QUIET_S = 0.8  # four polls, and more than twice the spacing of a router's tables


PLACES = {"berlin": "203.0.113.1:1001", "cologne": "203.0.113.2:1002", "dresden": "203.0.113.3:1003"}


def expect_all_others(hub: StandaloneHub, router: str) -> None:
    """Wait until the newest table for a router has the endpoints of all others."""
    others = {name: endpoint for name, endpoint in PLACES.items() if name != router}
    wait_until(lambda: hub.endpoints_for(router) == others, f"the whole table for {router}")


@pytest.fixture
def hub() -> Iterator[StandaloneHub]:
    """Give a running hub with three routers, which all have the tables that they should have."""
    with StandaloneHub() as made:
        made.start()
        made.set_endpoints(*PLACES.items())
        for router in PLACES:
            expect_all_others(made, router)
        time.sleep(QUIET_S)
        yield made


def test_sigterm_publishes_offline_and_exits_with_status_zero(hub: StandaloneHub) -> None:
    since_ns = now_ns(hub)
    assert hub.daemon.stop() == 0
    expect_online(hub, since_ns, online=False)
    assert hub.expect_log("stopped", since_ns=since_ns).data["level"] == "info"
    assert hub.published(since_ns=since_ns) == []


def test_sigterm_while_the_broker_hangs_ends_the_daemon(hub: StandaloneHub) -> None:
    hub.broker.signal(signal.SIGSTOP)
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_log("endpoint changed", endpoint="203.0.113.44:1044")
    assert hub.daemon.stop() == 0
    hub.broker.signal(signal.SIGCONT)


def test_sigkill_leaves_offline_to_the_will(hub: StandaloneHub) -> None:
    since_ns = now_ns(hub)
    hub.daemon.kill()
    expect_online(hub, since_ns, online=False)


def test_restart_with_nothing_changed_publishes_no_table(hub: StandaloneHub) -> None:
    for end in (hub.daemon.stop, hub.daemon.kill):
        since_ns = now_ns(hub)
        end()
        hub.daemon.start()
        hub.expect_log("broker ready", since_ns=since_ns, retained="3")
        hub.expect_log("endpoint changed", since_ns=since_ns, router="dresden")
        time.sleep(QUIET_S)
        assert hub.published(since_ns=since_ns) == []
        assert cleared(hub, since_ns) == set()
        assert expect_online(hub, since_ns, online=True)["online"] is True
    assert hub.warnings() == []


def test_sighup_with_another_configuration_publishes_only_what_changes(hub: StandaloneHub) -> None:
    hub.settings["links"] = [["berlin", "cologne"], ["cologne", "dresden"]]
    since_ns = reload(hub)
    time.sleep(QUIET_S)
    topics = {str(event.data["topic"]) for event in hub.published(since_ns=since_ns)}
    assert topics == {f"{PREFIX}/berlin/endpoints", f"{PREFIX}/dresden/endpoints"}
    hub.add_router("essen")
    hub.settings["links"] = "all"
    since_ns = reload(hub)
    hub.set_endpoints(("essen", "203.0.113.5:1005"))
    hub.expect_table("essen", "berlin", "203.0.113.1:1001", since_ns=since_ns)
    hub.expect_table("berlin", "essen", "203.0.113.5:1005", since_ns=since_ns)
    assert hub.warnings() == []


def test_sighup_with_a_broken_configuration_keeps_the_previous_one(hub: StandaloneHub) -> None:
    hub.add_router("essen", key="not a key")
    hub.settings["links"] = [["berlin", "nobody"]]
    hub.write_config()
    since_ns = now_ns(hub)
    hub.daemon.signal(signal.SIGHUP)
    rejected = hub.expect_log(REFUSED, since_ns=since_ns)
    assert rejected.data["problems"] == "2"
    assert "config.yaml:" in str(rejected.data["reason"])
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_table("dresden", "berlin", "203.0.113.44:1044", since_ns=since_ns)
    hub.config.unlink()
    hub.daemon.signal(signal.SIGHUP)
    hub.expect_log(REFUSED, since_ns=rejected.t_ns + 1)
    hub.set_endpoints(("berlin", "203.0.113.45:1045"))
    hub.expect_table("dresden", "berlin", "203.0.113.45:1045", since_ns=since_ns)
    assert hub.warnings() == [REFUSED, REFUSED]


def test_sighup_with_a_missing_secret_keeps_the_previous_configuration(hub: StandaloneHub) -> None:
    broker = {"host": "127.0.0.1", "username": "hub", "for_routers": {"host": "10.99.0.1"}}
    hub.settings["broker"] = broker | {"password_file": str(hub.secrets / "elsewhere")}
    hub.write_config()
    since_ns = now_ns(hub)
    hub.daemon.signal(signal.SIGHUP)
    assert "elsewhere" in str(hub.expect_log(REFUSED, since_ns=since_ns).data["reason"])
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_table("dresden", "berlin", "203.0.113.44:1044", since_ns=since_ns)


def test_many_sighups_at_once_end_in_one_session(hub: StandaloneHub) -> None:
    for _ in range(8):
        hub.daemon.signal(signal.SIGHUP)
        time.sleep(0.03)
    time.sleep(QUIET_S)
    since_ns = now_ns(hub)
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_table("dresden", "berlin", "203.0.113.44:1044", since_ns=since_ns)
    assert hub.warnings() == []


def test_router_replaced_renamed_and_removed(hub: StandaloneHub) -> None:
    """The steps of docs/operations.md, on the hub."""
    hub.remove_peer("berlin")
    hub.add_router("berlin", key=key_of("berlin's successor"))
    since_ns = reload(hub)
    hub.set_endpoints(("berlin's successor", "203.0.113.1:1001"))
    hub.expect_table("cologne", "berlin", "203.0.113.1:1001", since_ns=since_ns)
    assert key_of("berlin's successor") in str(hub.published(since_ns=since_ns)[-1].data["payload"])
    assert cleared(hub, since_ns) == set()

    hub.routers["aachen"] = hub.routers.pop("cologne")
    since_ns = reload(hub)
    hub.expect_table("aachen", "berlin", "203.0.113.1:1001", since_ns=since_ns)
    hub.expect_table("berlin", "aachen", "203.0.113.2:1002", since_ns=since_ns)
    await_cleared(hub, "cologne", since_ns)

    del hub.routers["aachen"]
    hub.daemon.stop()
    hub.write_config()
    since_ns = now_ns(hub)
    hub.daemon.start()
    await_cleared(hub, "aachen", since_ns)
    hub.expect_log("table published", since_ns=since_ns, router="berlin")
    assert hub.warnings() == []


def test_second_daemon_of_one_hub_name_stands_by_and_takes_over_later(hub: StandaloneHub) -> None:
    second = hub.second_daemon("second")
    since_ns = now_ns(hub)
    second.start()
    hub.log.expect("second", RIVAL, PATIENCE_S, hub="hub1")
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_table("cologne", "berlin", "203.0.113.44:1044", since_ns=since_ns)
    time.sleep(QUIET_S)
    assert hub.log.find("second", "table published") == []
    assert (hub.warnings(), hub.warnings(source="second")) == ([], [RIVAL])
    second.stop()
    hub.daemon.kill()
    third = hub.second_daemon("third")
    third.start()
    hub.log.expect("third", "broker ready", PATIENCE_S)
    assert hub.warnings(source="third") == []


def test_two_daemons_started_at_once_only_one_is_active() -> None:
    with StandaloneHub() as hub:
        hub.add_interface()
        hub.start_broker()
        second = hub.second_daemon("second")
        hub.daemon.start()
        second.start()
        hub.log.wait_for(lambda event: event.kind == RIVAL, PATIENCE_S, what=RIVAL)
        time.sleep(4.0)
        standby, active = ("second", "hub") if hub.warnings(source="second") else ("hub", "second")
        assert (hub.warnings(source=standby), hub.warnings(source=active)) == ([RIVAL], [])
        since_ns = now_ns(hub)
        hub.set_endpoints(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"))
        hub.expect_table("berlin", "cologne", "203.0.113.2:1002", since_ns=since_ns)
        time.sleep(QUIET_S)
        assert hub.log.find(standby, "table published", since_ns=since_ns) == []
        assert expect_online(hub, 0, online=True)["online"] is True


def test_dry_run_publishes_nothing_and_logs_what_it_would(hub: StandaloneHub) -> None:
    hub.daemon.stop()
    dry = hub.second_daemon("dry", "--dry-run")
    since_ns = now_ns(hub)
    dry.start()
    hub.log.expect("dry", "broker ready", PATIENCE_S, retained="3")
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    line = hub.log.expect("dry", "would publish", PATIENCE_S, topic=f"{PREFIX}/cologne/endpoints")
    assert '"address":"203.0.113.44"' in str(line.data["payload"])
    dry.stop()
    time.sleep(0.2)
    topics = {str(event.data["topic"]) for event in hub.published("", since_ns)}
    assert topics <= {f"{PREFIX}/hub/hub1/fence"}, "its read-back fence, which is not retained"


def test_freeze_file_that_cannot_be_read_keeps_the_last_state_and_warns_once(hub: StandaloneHub) -> None:
    hub.wgmqtt("freeze")
    hub.expect_log("publishing frozen")
    file = hub.config.with_name("config.yaml.frozen")
    since_ns = now_ns(hub)
    beside = file.with_name("loop")
    beside.symlink_to(file)
    beside.rename(file)  # a link to itself: not even root can tell whether the file exists
    hub.expect_log(UNREADABLE, since_ns=since_ns, frozen="true")
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_log("endpoint changed", since_ns=since_ns, router="berlin")
    time.sleep(2 * QUIET_S)
    assert hub.published(since_ns=since_ns) == []
    assert hub.warnings(since_ns=since_ns) == [UNREADABLE]
    hub.wgmqtt("unfreeze")
    hub.expect_log("publishing resumed", since_ns=since_ns)


def test_frozen_over_a_restart_publishes_nothing_until_unfrozen(hub: StandaloneHub) -> None:
    assert "publishes nothing" in hub.wgmqtt("freeze")
    hub.expect_log("publishing frozen")
    since_ns = now_ns(hub)
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_log("endpoint changed", since_ns=since_ns, router="berlin")
    hub.daemon.stop()
    hub.daemon.start()
    hub.expect_log("broker ready", since_ns=since_ns)
    hub.set_endpoints(("cologne", "203.0.113.45:1045"))
    hub.expect_log("endpoint changed", since_ns=since_ns, router="cologne", endpoint="203.0.113.45:1045")
    time.sleep(QUIET_S)
    assert hub.published(since_ns=since_ns) == []
    status = str(hub.published("status", since_ns)[-1].data["payload"])
    assert json.loads(status)["is_frozen"] is True
    hub.wgmqtt("unfreeze")
    hub.expect_log("publishing resumed", since_ns=since_ns)
    hub.expect_table("dresden", "berlin", "203.0.113.44:1044", since_ns=since_ns)
    hub.expect_table("dresden", "cologne", "203.0.113.45:1045", since_ns=since_ns)
    assert hub.warnings() == []
