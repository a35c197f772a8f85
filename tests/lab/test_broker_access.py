"""Who may read and write which topics at the broker that `wgmqtt gen-mosquitto` configures. Denials are silent."""

from itertools import count

import pytest

from lab.testbed.child import Child
from lab.testbed.events import PATIENCE_S
from lab.testbed.lab import Lab
from lab.testbed.setting import PREFIX

pytestmark = pytest.mark.lab

_numbers = count()


def listener(lab: Lab, user: str, *topics: str) -> tuple[Child, str]:
    """Return a client that has subscribed, and the source of its events."""
    source = f"{user}-{next(_numbers)}"
    child = lab.mqtt_user(user, *topics, source=source)
    lab.log.expect(source, "subscribed", PATIENCE_S)
    return child, source


def publish(lab: Lab, user: str, *topics: str, payload: str = "x") -> None:
    """Publish to the topics in order; return when the broker has acknowledged (or silently dropped) the last."""
    child, source = listener(lab, user, f"{PREFIX}/none")
    for topic in topics:
        child.send({"topic": topic, "payload": payload})
    lab.log.expect(source, "published", PATIENCE_S, topic=topics[-1])


def received_topics(lab: Lab, source: str, last: str) -> list[object]:
    """Wait until `source` receives a message on `last`; return all topics that it received."""
    lab.log.expect(source, "message", PATIENCE_S, topic=last)
    return [event.data["topic"] for event in lab.log.find(source, "message")]


def test_router_receives_its_own_table_and_no_other(idle_lab: Lab) -> None:
    own = f"{PREFIX}/site-a/endpoints"
    other = f"{PREFIX}/site-b/endpoints"
    _, source = listener(idle_lab, "site-a", own, other, f"{PREFIX}/#", "#")
    publish(idle_lab, "hub", other, f"{PREFIX}/site-a/report", f"{PREFIX}/hub/hub1/status", own)
    assert set(received_topics(idle_lab, source, own)) == {own}


def test_router_writes_its_own_report_and_will_and_nothing_else(idle_lab: Lab) -> None:
    own = [f"{PREFIX}/site-a/online", f"{PREFIX}/site-a/report"]
    foreign = [
        f"{PREFIX}/site-a/endpoints",
        f"{PREFIX}/site-b/endpoints",
        f"{PREFIX}/site-b/report",
        f"{PREFIX}/hub/hub1/status",
        "elsewhere",
    ]
    _, source = listener(idle_lab, "hub", f"{PREFIX}/#")
    publish(idle_lab, "site-a", *foreign, *own)
    assert received_topics(idle_lab, source, own[-1]) == own


def test_viewer_receives_all_topics_and_writes_none_of_routers_or_hub(idle_lab: Lab) -> None:
    _, source = listener(idle_lab, "viewer", f"{PREFIX}/#")
    publish(idle_lab, "viewer", f"{PREFIX}/site-a/endpoints", f"{PREFIX}/site-a/report", f"{PREFIX}/hub/hub1/status")
    seen = [f"{PREFIX}/site-a/endpoints", f"{PREFIX}/site-b/report"]
    publish(idle_lab, "hub", *seen)
    assert received_topics(idle_lab, source, seen[-1]) == seen


def test_web_receives_the_hubs_topics_and_the_tables_and_writes_nothing(idle_lab: Lab) -> None:
    seen = [f"{PREFIX}/hub/hub1/status", f"{PREFIX}/site-a/endpoints"]
    _, source = listener(idle_lab, "web", f"{PREFIX}/#", "#")
    publish(idle_lab, "web", *seen, f"{PREFIX}/web/report", f"{PREFIX}/site-a/report")
    publish(idle_lab, "hub", f"{PREFIX}/site-a/report", *seen)
    assert set(received_topics(idle_lab, source, seen[-1])) == set(seen)
    _, hub = listener(idle_lab, "hub", f"{PREFIX}/#")
    publish(idle_lab, "web", *seen, f"{PREFIX}/web/report", f"{PREFIX}/web/online")
    publish(idle_lab, "site-b", f"{PREFIX}/site-b/report")
    assert received_topics(idle_lab, hub, f"{PREFIX}/site-b/report") == [f"{PREFIX}/site-b/report"]


def test_wrong_password_is_rejected(idle_lab: Lab) -> None:
    idle_lab.mqtt_user("site-a", source="stranger", password="guess")
    event = idle_lab.log.expect("stranger", "connected", PATIENCE_S)
    assert event.data["reason"] == "Not authorized"


def test_crashed_broker_comes_back_without_old_tables(idle_lab: Lab) -> None:
    topic = f"{PREFIX}/site-b/endpoints"
    child, source = listener(idle_lab, "hub", f"{PREFIX}/none")
    child.send({"topic": topic, "payload": "old", "retain": True})
    idle_lab.log.expect(source, "published", PATIENCE_S, topic=topic)
    _, before = listener(idle_lab, "site-b", topic)
    assert idle_lab.log.expect(before, "message", PATIENCE_S).data["retain"]
    idle_lab.broker.restart()
    _, after = listener(idle_lab, "site-b", topic)
    publish(idle_lab, "hub", topic, payload="new")
    assert idle_lab.log.expect(after, "message", PATIENCE_S).data["payload"] == "new"
