"""What the page shows of the messages on the hub's topics."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lab.testbed.sample_mesh import make_mesh
from wgmqtt import phrases
from wgmqtt.logline import say
from wgmqtt.web.mesh import NOTHING, Mesh, path_states, router_state
from wgmqtt.web.snapshot import encode_snapshot
from wgmqtt.wire.hub import HubStatus, LinkLine, Online, RouterLine, encode_event, encode_online, encode_status
from wgmqtt.wire.topics import Topics

NOW_S = 1_700_000_000.0
TOPICS = Topics("wgmqtt/v1", "hub1")


def fed(status: HubStatus) -> Mesh:
    """Return a mesh that is connected and has got this status."""
    mesh = Mesh(TOPICS, NOW_S)
    mesh.connected(NOW_S)
    mesh.take(TOPICS.hub_online, encode_online(Online(is_online=True, instance="1")))
    assert mesh.take(TOPICS.hub_status, encode_status(status, status.routers, status.links)).is_status
    return mesh


def shown(mesh: Mesh) -> dict[str, Any]:
    """Return what the page gets."""
    body: dict[str, Any] = json.loads(encode_snapshot(mesh))
    return body


def router(name: str, handshake_s: float | None = NOW_S - 20, trouble: str = "") -> RouterLine:
    return RouterLine(name, "203.0.113.1:1", handshake_s, NOW_S - 100, 12.5, trouble)


def status_of(routers: tuple[RouterLine, ...], links: tuple[LinkLine, ...] = ()) -> HubStatus:
    return HubStatus("1", "0.1.0", is_frozen=False, at_s=NOW_S, managed=(), routers=routers, links=links)


@pytest.mark.parametrize(
    ("handshake_s", "trouble", "expected"),
    [
        (NOW_S - 179, "", "ok"),
        (NOW_S - 179, "does not answer", "trouble"),
        (NOW_S - 181, "no handshake", "silent"),
        (None, "no handshake", "never"),
    ],
)
def test_router_state(handshake_s: float | None, trouble: str, expected: str) -> None:
    assert router_state(router("a", handshake_s, trouble), NOW_S) == expected


@pytest.mark.parametrize(
    ("published", "is_other_alive", "expected"),
    [
        ("direct", True, "direct"),
        ("direct", False, "direct"),
        ("trying", True, "trying"),
        ("down", True, "hub"),
        ("down", False, "down"),
        ("unknown", True, "unknown"),
        ("unknown", False, "unknown"),
    ],
)
def test_path_of_a_link(published: str, is_other_alive: bool, expected: str) -> None:  # noqa: FBT001
    other = router("b", NOW_S - (20 if is_other_alive else 500))
    link = LinkLine("a", "b", published, None, None, "")
    assert path_states(status_of((router("a"), other), (link,))) == [expected]


def test_snapshot_has_every_router_and_link() -> None:
    status = make_mesh(200, NOW_S)
    body = shown(fed(status))
    assert [line["name"] for line in body["routers"]] == [line.name for line in status.routers]
    assert len(body["links"]) == len(status.links)
    assert (body["online"], body["known"], body["frozen"]) == (True, True, False)
    assert {line["path"] for line in body["links"]} == {"direct", "trying", "hub", "down"}


def test_snapshot_before_the_first_status_says_that_nothing_is_known() -> None:
    body = shown(Mesh(TOPICS, NOW_S))
    assert (body["known"], body["broker"]["connected"], body["online"]) == (False, False, None)
    assert "routers" not in body


def test_lost_broker_is_shown_with_its_reason_and_the_moment_it_was_lost() -> None:
    mesh = fed(make_mesh(5, NOW_S))
    assert mesh.disconnected("Connection refused", NOW_S + 5).is_status
    assert mesh.disconnected("Connection refused", NOW_S + 6) is NOTHING
    mesh.disconnected("No route to host", NOW_S + 7)
    assert shown(mesh)["broker"] == {"connected": False, "since_s": NOW_S + 5, "reason": "No route to host"}
    assert len(shown(mesh)["routers"]) == 5, "what was known stays"
    mesh.connected(NOW_S + 9)
    assert shown(mesh)["broker"]["connected"] is True


def test_hub_that_a_new_broker_knows_nothing_of_is_not_shown_as_online() -> None:
    mesh = fed(make_mesh(5, NOW_S))
    mesh.disconnected("connection ended", NOW_S)
    mesh.connected(NOW_S + 1)
    assert shown(mesh)["online"] is None


def test_text_from_a_router_is_escaped_in_every_field() -> None:
    hostile = "<img src=x onerror=alert(1)>\x1b[2J\u202e"
    lines = (replace(router(hostile), endpoint=hostile, trouble=hostile, note=hostile),)
    link = LinkLine(hostile, hostile, "direct", NOW_S, 1.0, hostile, hostile)
    mesh = fed(replace(status_of(lines, (link,)), trouble=hostile, version=hostile))
    event = say(phrases.ENDPOINT_CHANGED, router=hostile, endpoint=hostile, was=hostile)
    mesh.take(TOPICS.hub_events, encode_event(event, NOW_S))
    mesh.disconnected(hostile, NOW_S)
    text = encode_snapshot(mesh).decode("ascii")
    assert "\\u001b" not in text
    assert "\\u202e" not in text.replace("\\\\u202e", "")
    assert text.count("\\\\u202e") == 14, "one for each field above"


@pytest.mark.parametrize(
    "field",
    ['"trouble":7', '"trouble":null', '"handshake_s":"x"', '"handshake_s":NaN', '"handshake_s":1e999', '"heard_s":[]'],
)
def test_status_with_a_field_of_the_wrong_type_changes_nothing(field: str) -> None:
    mesh = fed(make_mesh(5, NOW_S))
    name = json.loads(field.partition(":")[0])
    lines = (router("a"),)
    payload = encode_status(status_of(lines), lines, ())
    right = f'"{name}":{json.dumps(getattr(lines[0], name))},'.encode()
    assert payload.count(right) >= 1
    head, _, tail = payload.partition(b'"routers":[')
    assert mesh.take(TOPICS.hub_status, head + b'"routers":[' + tail.replace(right, field.encode() + b",")) is NOTHING
    assert len(shown(mesh)["routers"]) == 5


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b'{"v":1,"at_s":NaN}', b'{"v":1}'])
@pytest.mark.parametrize("topic", [TOPICS.hub_status, TOPICS.hub_events, "wgmqtt/v1/hub/hub1/other"])
def test_malformed_message_changes_nothing(topic: str, payload: bytes) -> None:
    mesh = fed(make_mesh(5, NOW_S))
    before = shown(mesh)
    assert mesh.take(topic, payload) is NOTHING
    assert shown(mesh) == before


def test_move_is_part_of_the_snapshot() -> None:
    mesh = fed(make_mesh(5, NOW_S))
    for phrase, fields in (
        (phrases.ENDPOINT_CHANGED, {"router": "berlin", "endpoint": "203.0.113.9:9", "was": "203.0.113.8:8"}),
        (phrases.TABLE_PUBLISHED, {"router": "amsterdam", "seq": 5, "bytes": 9}),
    ):
        change = mesh.take(TOPICS.hub_events, encode_event(say(phrase, **fields), NOW_S + 0.001 * len(fields)))
        assert [move.router for move in change.moves] == ["berlin"]
    (move,) = shown(mesh)["moves"]
    assert move["stages"]["published"] == [1, 0.0, 0.0]
    assert move["stages"]["proven"] == [0, None, None]
