"""The closed loop on real parts: routers that never report, are late or send nonsense, and what `status` shows."""

import json
import time
from collections.abc import Iterator
from functools import partial

import pytest

from lab.checks.switch import settle
from lab.network.netns import python_module
from lab.network.shell import CommandError
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S, wait_until
from lab.testbed.lab import Lab
from lab.testbed.setting import PREFIX
from wgmqtt.wire.hub import HubStatus, decode_status

pytestmark = pytest.mark.lab

STATUS = f"{PREFIX}/hub/hub1/status"
OUTAGE_S = 20.0
STATUS_LAG_NS = 10_000_000_000  # a status may be published so long after the report that changed it


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give two sites with a direct path."""
    with Lab() as made:
        yield made.start()


def now_ns(lab: Lab) -> int:
    """Return the current time (Unix time, ns)."""
    return lab.log.note("lab", "mark").t_ns


def status(lab: Lab) -> HubStatus:
    """Return the hub's newest status."""
    found = decode_status(str(lab.log.find("viewer", "message", topic=STATUS)[-1].data["payload"]).encode(), STATUS)
    assert found is not None
    return found


def shown(lab: Lab, *arguments: str) -> str:
    """Return what `wgmqtt status` prints in the hub's namespace."""
    return lab.network.hub.run(*python_module("wgmqtt", "status", "-c", str(lab.config), *arguments))


def test_site_that_was_offline_while_the_other_moved_gets_its_table_by_a_new_connection(lab: Lab) -> None:
    """The hub sees it alive without a report and resets its stale connection; TCP would need 12 s and more."""
    away = lab.network.sites["site-b"]
    settle(lab)
    lab.network.cut(away)
    lab.move("site-a")
    time.sleep(OUTAGE_S)
    lab.network.restore(away)
    back_ns = lab.log.note("lab", "back").t_ns
    away.send_to_hub()
    lab.log.expect("hub", "stale connection reset", PATIENCE_S, since_ns=back_ns, router="site-b", connections="1")
    lab.direct("site-a", "site-b", PATIENCE_S, since_ns=back_ns)
    connected = lab.log.expect("site-b", "connected", PATIENCE_S, since_ns=back_ns)
    table = lab.log.expect("site-b", "handler-start", PATIENCE_S, since_ns=back_ns)
    assert connected.t_ns < table.t_ns, "the table came by the old connection"


def test_status_shows_every_router_and_link_from_another_process(lab: Lab) -> None:
    settle(lab)
    wait_until(lambda: "site-a - site-b  direct" in shown(lab), "status shows the direct link")
    text = shown(lab)
    assert text.startswith("hub: running")
    assert text.splitlines()[-1] == "no problems"
    body = json.loads(shown(lab, "--json"))
    assert body["online"] is True
    assert [router["name"] for router in body["routers"]] == ["site-a", "site-b"]


def test_events_follow_a_switch_as_it_happens(lab: Lab) -> None:
    command = python_module("wgmqtt", "events", "-c", str(lab.config))
    events = Child("events", lab.network.hub, command, lab.log, read_json_line)

    def has_printed(phrase: str) -> bool:
        return any(phrase in str(event.data["text"]) for event in lab.log.find("events", "line"))

    while not has_printed(""):  # until it has subscribed
        moved = lab.move("site-b")
        lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)
        settle(lab)
    lab.move("site-a")
    for phrase in ("changed router=site-a", "table published", "table applied router=site-b", "direct path proven"):
        wait_until(partial(has_printed, phrase), f"events prints {phrase}")
    events.stop()


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        "[]",
        '{"v":2}',
        '{"v":1,"seq":7}',
        '{"v":1,"seq":"1","stage":"final","peers":7}',
        "\\u0000",
        "x" * 200_000,
    ],
)
def test_malformed_report_changes_nothing_and_is_logged_once(lab: Lab, payload: str) -> None:
    settle(lab)
    before = status(lab)
    since_ns = now_ns(lab)
    user = lab.mqtt_user("site-a", source=f"hostile-{since_ns}")
    for _ in range(2):
        user.send({"topic": f"{PREFIX}/site-a/report", "payload": payload})
    lab.log.expect(f"hostile-{since_ns}", "published", PATIENCE_S)
    if payload:
        lab.log.expect("hub", "report malformed", PATIENCE_S)
    settle(lab)
    assert len(lab.log.find("hub", "report malformed", since_ns=since_ns)) <= 1, "once, until a valid one comes"
    assert bool(lab.log.find("hub", "report malformed")) == bool(payload)
    own = reporting(lab, payload, since_ns - STATUS_LAG_NS)
    heard = {line.name: line.heard_s for line in before.routers if line.name not in own}
    assert {line.name: line.heard_s for line in status(lab).routers if line.name not in own} == heard
    user.stop()


def reporting(lab: Lab, payload: str, since_ns: int) -> set[str]:
    """Return the routers that published a report of their own, other than `payload`."""
    messages = [event.data for event in lab.log.find("viewer", "message", since_ns=since_ns)]
    reports = [message for message in messages if str(message["topic"]).endswith("/report")]
    return {str(each["topic"]).split("/")[-2] for each in reports if each["payload"] != payload}


def test_router_with_malformed_reports_is_shown_until_it_sends_a_valid_one(lab: Lab) -> None:
    wait_until(lambda: "! site-a: sends malformed reports" in shown(lab), "status shows site-a")
    moved = lab.move("site-a")
    lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)
    wait_until(lambda: "malformed" not in shown(lab), "status no longer shows site-a")


def test_report_on_another_routers_topic_never_reaches_the_hub(lab: Lab) -> None:
    report = json.dumps({"v": 1, "seq": lab.table("site-b")["seq"], "stage": "final", "peers": [], "error": "forged"})
    since_ns = now_ns(lab)
    user = lab.mqtt_user("site-a", source="forger")
    user.send({"topic": f"{PREFIX}/site-b/report", "payload": report})
    lab.log.expect("forger", "published", PATIENCE_S)
    settle(lab)
    assert not lab.log.find("viewer", "message", since_ns=since_ns, topic=f"{PREFIX}/site-b/report")


def test_reports_with_an_old_and_a_future_seq_change_nothing(lab: Lab) -> None:
    since_ns = settle(lab)
    user = lab.mqtt_user("site-a", source="old")
    for seq in ("1", "9" * 20):
        report = {"v": 1, "seq": seq, "stage": "final", "peers": [], "error": "of another time"}
        user.send({"topic": f"{PREFIX}/site-a/report", "payload": json.dumps(report)})
    lab.log.expect("old", "published", PATIENCE_S)
    settle(lab)
    assert not lab.log.find("hub", "table final", since_ns=since_ns)
    assert not [line for line in status(lab).routers if "another time" in line.trouble]


def test_router_that_loses_power_during_a_handler_becomes_direct_again_after_its_import(lab: Lab) -> None:
    settle(lab)
    router = lab.routers["site-b"]
    moved = lab.move("site-a")
    lab.log.expect("site-b", "handler-start", PATIENCE_S, since_ns=moved.t_ns)
    router.power_cut()
    time.sleep(1.0)
    router.power_on()
    since_ns = lab.log.note("lab", "power is back").t_ns
    router.import_script(lab.script("site-b"))
    lab.log.expect("site-b", "connected", PATIENCE_S, since_ns=since_ns)
    lab.direct("site-a", "site-b", PATIENCE_S, since_ns=since_ns)


def test_stopped_hub_is_shown_as_not_running(lab: Lab) -> None:
    """This must be the last test with this lab, because it stops the daemon."""
    lab.daemon.stop()
    with pytest.raises(CommandError, match=r"ended with status 1: hub: NOT RUNNING"):
        shown(lab)
    with pytest.raises(CommandError, match=r'"online": false'):
        shown(lab, "--json")


def test_router_without_a_script_is_named_with_the_next_step() -> None:
    with Lab() as lab:
        lab.routers["site-a"].import_script(lab.script("site-a"))
        lab.start_daemon()
        for site in lab.network.sites.values():
            site.send_to_hub()
        lab.log.expect("hub", "table applied", PATIENCE_S, router="site-a")
        wait_until(lambda: "! site-b: has never reported: import its script" in shown(lab), "status shows site-b")
        assert "! site-a - site-b: see site-b" in shown(lab)
