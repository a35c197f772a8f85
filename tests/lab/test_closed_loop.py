"""The closed loop on real parts: who was never heard, who is late, who writes nonsense, and what a person is shown."""

import json
import time
from collections.abc import Iterator

import pytest

from lab.network.netns import python_module
from lab.network.shell import CommandError
from lab.testbed.lab import Lab
from lab.testbed.setting import PREFIX
from wgmqtt.wire.hub import HubStatus, decode_status

pytestmark = pytest.mark.lab

STATUS = f"{PREFIX}/hub/hub1/status"
OUTAGE_S = 20.0
BACK_S = 8.0  # TCP alone needs 12 s and more after an outage of 15 s (lab/bench/outage.py)
SETTLED_S = 2.0


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give two sites that have met."""
    with Lab() as made:
        yield made.start()


def settle(lab: Lab, for_s: float = SETTLED_S) -> int:
    """Let pending work end; return the time (Unix, ns)."""
    time.sleep(for_s)
    return lab.log.note("lab", "settled").t_ns


def view(lab: Lab) -> HubStatus:
    """Return the hub's newest view."""
    found = decode_status(str(lab.log.find("viewer", "message", topic=STATUS)[-1].data["payload"]).encode(), STATUS)
    assert found is not None
    return found


def shown(lab: Lab, *arguments: str) -> str:
    """Return what `wgmqtt status` prints, in the hub's namespace."""
    return lab.network.hub.run(*python_module("wgmqtt", "status", "-c", str(lab.config), *arguments))


def test_site_that_was_away_while_the_other_moved_is_direct_soon_after_its_return(lab: Lab) -> None:
    """The hub sees it live, gets no answer, and resets its stale connection: the table comes with the next one."""
    away = lab.network.sites["site-b"]
    settle(lab)
    lab.network.cut(away)
    lab.move("site-a")
    time.sleep(OUTAGE_S)
    lab.network.restore(away)
    back_ns = lab.log.note("lab", "back").t_ns
    away.speak_to_hub()
    lab.log.expect("hub", "stale connection reset", BACK_S, since_ns=back_ns, router="site-b", connections="1")
    lab.direct("site-a", "site-b", BACK_S, since_ns=back_ns)


def test_status_shows_every_router_and_link_from_another_process(lab: Lab) -> None:
    settle(lab)
    text = shown(lab)
    assert text.startswith("hub: running")
    assert "site-a - site-b  direct" in text
    assert text.splitlines()[-1] == "nothing is wrong"
    body = json.loads(shown(lab, "--json"))
    assert body["online"] is True
    assert [router["name"] for router in body["routers"]] == ["site-a", "site-b"]


def test_events_follow_a_switch_as_it_happens(lab: Lab) -> None:
    events = lab.network.hub.start(*python_module("wgmqtt", "events", "-c", str(lab.config)))
    settle(lab, 3.0)
    moved = lab.move("site-a")
    lab.direct("site-a", "site-b", BACK_S, since_ns=moved.t_ns)
    time.sleep(SETTLED_S)
    events.terminate()
    said, _ = events.communicate(timeout=5.0)
    phrases = ["endpoint changed router=site-a", "table published", "table applied router=site-b", "direct path proven"]
    assert all(phrase in said for phrase in phrases), said


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
def test_report_that_is_none_changes_nothing_and_is_said_once(lab: Lab, payload: str) -> None:
    settle(lab, 0.5)
    before = view(lab)
    since_ns = lab.log.note("lab", "hostile").t_ns
    user = lab.mqtt_user("site-a", source=f"hostile-{since_ns}")
    for _ in range(2):
        user.send({"topic": f"{PREFIX}/site-a/report", "payload": payload})
    lab.log.expect(f"hostile-{since_ns}", "published", 5.0)
    settle(lab, 0.5)
    assert len(lab.log.find("hub", "report malformed")) == (1 if payload else 0), "once, until a good one comes"
    assert [line.heard_s for line in view(lab).routers] == [line.heard_s for line in before.routers]
    user.stop()


def test_router_that_wrote_nonsense_is_named_until_it_writes_sense(lab: Lab) -> None:
    settle(lab)
    assert "! site-a: sends malformed reports" in shown(lab)
    moved = lab.move("site-a")
    lab.direct("site-a", "site-b", BACK_S, since_ns=moved.t_ns)
    settle(lab)
    assert "cannot be read" not in shown(lab)


def test_report_in_another_routers_name_never_reaches_the_hub(lab: Lab) -> None:
    report = json.dumps({"v": 1, "seq": lab.table("site-b")["seq"], "stage": "final", "peers": [], "error": "forged"})
    since_ns = lab.log.note("lab", "forged").t_ns
    user = lab.mqtt_user("site-a", source="forger")
    user.send({"topic": f"{PREFIX}/site-b/report", "payload": report})
    lab.log.expect("forger", "published", 5.0)
    settle(lab, 0.5)
    assert not lab.log.find("viewer", "message", since_ns=since_ns, topic=f"{PREFIX}/site-b/report")


def test_report_on_an_old_table_and_one_from_the_future_change_nothing(lab: Lab) -> None:
    since_ns = settle(lab)
    user = lab.mqtt_user("site-a", source="old")
    for seq in ("1", "9" * 20):
        report = {"v": 1, "seq": seq, "stage": "final", "peers": [], "error": "of another time"}
        user.send({"topic": f"{PREFIX}/site-a/report", "payload": json.dumps(report)})
    lab.log.expect("old", "published", 5.0)
    settle(lab, 1.5)
    assert not lab.log.find("hub", "table final", since_ns=since_ns)
    assert not [line for line in view(lab).routers if "another time" in line.trouble]


def test_router_that_loses_power_in_the_middle_of_a_handler_is_direct_again_after_its_import(lab: Lab) -> None:
    settle(lab)
    router = lab.routers["site-b"]
    moved = lab.move("site-a")
    lab.log.expect("site-b", "handler-start", BACK_S, since_ns=moved.t_ns)
    router.power_cut()
    time.sleep(1.0)
    router.power_on()
    since_ns = lab.log.note("lab", "power is back").t_ns
    router.import_script(lab.script("site-b"))
    lab.log.expect("site-b", "connected", 20.0, since_ns=since_ns)
    lab.direct("site-a", "site-b", 20.0, since_ns=since_ns)


def test_hub_that_stopped_is_shown_as_such(lab: Lab) -> None:
    """The last test of this lab: its daemon ends."""
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
            site.speak_to_hub()
        lab.log.expect("hub", "table applied", 20.0, router="site-a")
        settle(lab, 3.0)
        text = shown(lab)
        assert "! site-b: has never reported: import its script" in text
        assert "! site-a - site-b: see site-b" in text
