"""The daemon's own life: signals, new configurations, restarts, a second one, dry runs, freezing."""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from lab.testbed.standalone_hub import PATIENCE_S, PREFIX, StandaloneHub, key_of
from tests.lab.hub_steps import await_emptied, emptied, mark, reload, word

pytestmark = pytest.mark.lab

RIVAL = "another daemon is active for this hub, standing by"
REFUSED = "configuration rejected, keeping the previous one"
QUIET_S = 0.8  # four looks at WireGuard, and more than twice the spacing of a router's tables


@pytest.fixture
def hub() -> Iterator[StandaloneHub]:
    """Give a hub of three routers, serving; all of them were seen and told, and nothing more is on its way."""
    with StandaloneHub() as made:
        made.serve()
        made.see(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"), ("dresden", "203.0.113.3:1003"))
        made.told("berlin", "cologne", "203.0.113.2:1002")
        made.told("berlin", "dresden", "203.0.113.3:1003")
        made.told("cologne", "dresden", "203.0.113.3:1003")
        made.told("dresden", "berlin", "203.0.113.1:1001")
        made.told("dresden", "cologne", "203.0.113.2:1002")
        time.sleep(QUIET_S)
        yield made


def test_sigterm_says_offline_and_ends_with_status_zero(hub: StandaloneHub) -> None:
    since_ns = mark(hub)
    assert hub.daemon.stop() == 0
    word(hub, since_ns, online=False)
    assert hub.said("stopped", since_ns=since_ns).data["level"] == "info"
    assert hub.published(since_ns=since_ns) == []


def test_sigterm_while_the_broker_is_silent_ends_all_the_same(hub: StandaloneHub) -> None:
    hub.broker.signal(signal.SIGSTOP)
    hub.see(("berlin", "203.0.113.44:1044"))
    hub.said("endpoint changed", endpoint="203.0.113.44:1044")
    assert hub.daemon.stop() == 0
    hub.broker.signal(signal.SIGCONT)


def test_sigkill_the_will_says_offline(hub: StandaloneHub) -> None:
    since_ns = mark(hub)
    hub.daemon.kill()
    word(hub, since_ns, online=False)


def test_restart_with_nothing_changed_publishes_no_table(hub: StandaloneHub) -> None:
    for end in (hub.daemon.stop, hub.daemon.kill):
        since_ns = mark(hub)
        end()
        hub.daemon.start()
        hub.said("broker ready", since_ns=since_ns, retained="3")
        hub.said("endpoint changed", since_ns=since_ns, router="dresden")
        time.sleep(QUIET_S)
        assert hub.published(since_ns=since_ns) == []
        assert emptied(hub, since_ns) == set()
        assert word(hub, since_ns, online=True)["online"] is True
    assert hub.warnings() == []


def test_sighup_with_another_configuration_is_applied_as_a_difference(hub: StandaloneHub) -> None:
    hub.settings["links"] = [["berlin", "cologne"], ["cologne", "dresden"]]
    since_ns = reload(hub)
    time.sleep(QUIET_S)
    topics = {str(event.data["topic"]) for event in hub.published(since_ns=since_ns)}
    assert topics == {f"{PREFIX}/berlin/endpoints", f"{PREFIX}/dresden/endpoints"}
    hub.add_router("essen")
    hub.settings["links"] = "all"
    since_ns = reload(hub)
    hub.see(("essen", "203.0.113.5:1005"))
    hub.told("essen", "berlin", "203.0.113.1:1001", since_ns=since_ns)
    hub.told("berlin", "essen", "203.0.113.5:1005", since_ns=since_ns)
    assert hub.warnings() == []


def test_sighup_with_a_broken_configuration_is_refused_whole(hub: StandaloneHub) -> None:
    hub.add_router("essen", key="not a key")
    hub.settings["links"] = [["berlin", "nobody"]]
    hub.write_config()
    since_ns = mark(hub)
    hub.daemon.signal(signal.SIGHUP)
    said = hub.said(REFUSED, since_ns=since_ns)
    assert said.data["problems"] == "2"
    assert "config.yaml:" in str(said.data["reason"])
    hub.see(("berlin", "203.0.113.44:1044"))
    hub.told("dresden", "berlin", "203.0.113.44:1044", since_ns=since_ns)
    hub.config.unlink()
    hub.daemon.signal(signal.SIGHUP)
    hub.said(REFUSED, since_ns=said.t_ns + 1)
    hub.see(("berlin", "203.0.113.45:1045"))
    hub.told("dresden", "berlin", "203.0.113.45:1045", since_ns=since_ns)
    assert hub.warnings() == [REFUSED, REFUSED]


def test_sighup_with_a_secret_that_is_missing_is_refused_whole(hub: StandaloneHub) -> None:
    broker = {"host": "127.0.0.1", "username": "hub", "for_routers": {"host": "10.99.0.1"}}
    hub.settings["broker"] = broker | {"password_file": str(hub.secrets / "elsewhere")}
    hub.write_config()
    since_ns = mark(hub)
    hub.daemon.signal(signal.SIGHUP)
    assert "elsewhere" in str(hub.said(REFUSED, since_ns=since_ns).data["reason"])
    hub.see(("berlin", "203.0.113.44:1044"))
    hub.told("dresden", "berlin", "203.0.113.44:1044", since_ns=since_ns)


def test_many_sighups_at_once_end_in_one_session(hub: StandaloneHub) -> None:
    for _ in range(8):
        hub.daemon.signal(signal.SIGHUP)
        time.sleep(0.03)
    time.sleep(QUIET_S)
    since_ns = mark(hub)
    hub.see(("berlin", "203.0.113.44:1044"))
    hub.told("dresden", "berlin", "203.0.113.44:1044", since_ns=since_ns)
    assert hub.warnings() == []


def test_router_replaced_renamed_and_removed(hub: StandaloneHub) -> None:
    """The steps of docs/operations.md, on the hub's side."""
    hub.forget("berlin")
    hub.add_router("berlin", key=key_of("berlin's successor"))
    since_ns = reload(hub)
    hub.see(("berlin's successor", "203.0.113.1:1001"))
    hub.told("cologne", "berlin", "203.0.113.1:1001", since_ns=since_ns)
    assert key_of("berlin's successor") in str(hub.published(since_ns=since_ns)[-1].data["payload"])
    assert emptied(hub, since_ns) == set()

    hub.routers["aachen"] = hub.routers.pop("cologne")
    since_ns = reload(hub)
    hub.told("aachen", "berlin", "203.0.113.1:1001", since_ns=since_ns)
    hub.told("berlin", "aachen", "203.0.113.2:1002", since_ns=since_ns)
    await_emptied(hub, "cologne", since_ns)

    del hub.routers["aachen"]
    hub.daemon.stop()
    hub.write_config()
    since_ns = mark(hub)
    hub.daemon.start()
    await_emptied(hub, "aachen", since_ns)
    hub.said("table published", since_ns=since_ns, router="berlin")
    assert hub.warnings() == []


def test_second_daemon_of_one_hub_name_is_refused_and_takes_over_later(hub: StandaloneHub) -> None:
    second = hub.second_daemon("second")
    since_ns = mark(hub)
    second.start()
    hub.log.expect("second", RIVAL, PATIENCE_S, hub="hub1")
    hub.see(("berlin", "203.0.113.44:1044"))
    hub.told("cologne", "berlin", "203.0.113.44:1044", since_ns=since_ns)
    time.sleep(QUIET_S)
    assert hub.log.find("second", "table published") == []
    assert (hub.warnings(), hub.warnings(source="second")) == ([], [RIVAL])
    second.stop()
    hub.daemon.kill()
    third = hub.second_daemon("third")
    third.start()
    hub.log.expect("third", "broker ready", PATIENCE_S)
    assert hub.warnings(source="third") == []


def test_two_daemons_started_at_once_exactly_one_serves() -> None:
    with StandaloneHub() as hub:
        hub.add_interface()
        hub.start_broker()
        second = hub.second_daemon("second")
        hub.daemon.start()
        second.start()
        hub.log.wait_for(lambda event: event.kind == RIVAL, PATIENCE_S, what=RIVAL)
        time.sleep(4.0)
        loser, winner = ("second", "hub") if hub.warnings(source="second") else ("hub", "second")
        assert (hub.warnings(source=loser), hub.warnings(source=winner)) == ([RIVAL], [])
        since_ns = mark(hub)
        hub.see(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"))
        hub.told("berlin", "cologne", "203.0.113.2:1002", since_ns=since_ns)
        time.sleep(QUIET_S)
        assert hub.log.find(loser, "table published", since_ns=since_ns) == []
        assert word(hub, 0, online=True)["online"] is True


def test_dry_run_publishes_nothing_and_says_what_it_would(hub: StandaloneHub) -> None:
    hub.daemon.stop()
    dry = hub.second_daemon("dry", "--dry-run")
    since_ns = mark(hub)
    dry.start()
    hub.log.expect("dry", "broker ready", PATIENCE_S, retained="3")
    hub.see(("berlin", "203.0.113.44:1044"))
    would = hub.log.expect("dry", "would publish", PATIENCE_S, topic=f"{PREFIX}/cologne/endpoints")
    assert '"address":"203.0.113.44"' in str(would.data["payload"])
    dry.stop()
    time.sleep(0.2)
    topics = {str(event.data["topic"]) for event in hub.published("", since_ns)}
    assert topics <= {f"{PREFIX}/hub/hub1/fence"}, "its note to itself, which nobody retains"


def test_frozen_over_a_restart_publishes_nothing_until_unfrozen(hub: StandaloneHub) -> None:
    assert "publishes nothing" in hub.wgmqtt("freeze")
    hub.said("publishing frozen")
    since_ns = mark(hub)
    hub.see(("berlin", "203.0.113.44:1044"))
    hub.said("endpoint changed", since_ns=since_ns, router="berlin")
    hub.daemon.stop()
    hub.daemon.start()
    hub.said("broker ready", since_ns=since_ns)
    hub.see(("cologne", "203.0.113.45:1045"))
    hub.said("endpoint changed", since_ns=since_ns, router="cologne", endpoint="203.0.113.45:1045")
    time.sleep(QUIET_S)
    assert hub.published(since_ns=since_ns) == []
    status = str(hub.published("status", since_ns)[-1].data["payload"])
    assert json.loads(status)["is_frozen"] is True
    hub.wgmqtt("unfreeze")
    hub.said("publishing resumed", since_ns=since_ns)
    hub.told("dresden", "berlin", "203.0.113.44:1044", since_ns=since_ns)
    hub.told("dresden", "cologne", "203.0.113.45:1045", since_ns=since_ns)
    assert hub.warnings() == []
