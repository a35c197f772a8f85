"""The hub's status and events as a person reads them, and as other programs do."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.cli.status_text import WIDTH, render_event, render_json, render_status
from wgmqtt.logline import Say
from wgmqtt.wire.hub import (
    HubStatus,
    LinkLine,
    RouterLine,
    decode_event,
    decode_status,
    encode_event,
    encode_status,
)

NOW_S = 1_700_000_000.0
SITES = ("berlin-mitte", "hamburg-lager", "koeln-ost", "muenchen-nord", "dresden")


def router(name: str, trouble: str = "", **others: Any) -> RouterLine:  # noqa: ANN401 - fields of RouterLine
    """Return a router that works, unless `trouble` says otherwise."""
    times: dict[str, Any] = {"handshake_s": NOW_S - 119, "heard_s": NOW_S - 6500, "applied_ms": 12_345.6, **others}
    return RouterLine(name, "203.0.113.211:51820", trouble=trouble, **times)


def link(one: str, other: str, trouble: str = "") -> LinkLine:
    """Return a link that is direct, or one in trouble."""
    state, since_s, ms = ("down", None, None) if trouble else ("direct", NOW_S - 7199, 12_345.6)
    return LinkLine(one, other, state, since_s, ms, trouble)


def view(routers: tuple[RouterLine, ...], links: tuple[LinkLine, ...] = (), *, is_frozen: bool = False) -> HubStatus:
    """Return the status with these routers and links."""
    names = tuple(line.name for line in routers)
    return HubStatus("0badcafe", "0.1.0", is_frozen, NOW_S - 3, names, routers, links)


def rendered(status: HubStatus, *, is_online: bool = True) -> str:
    """Return the text on the terminal."""
    return render_status(status, is_online=is_online, now_s=NOW_S)


def mesh(names: tuple[str, ...], trouble: str = "") -> HubStatus:
    """Return a status in which all routers are linked to each other."""
    links = tuple(link(one, other, trouble) for one in names for other in names if one < other)
    return view(tuple(router(name, trouble) for name in names), links)


@pytest.mark.parametrize("trouble", ["", "rejected entries (a long error): has it a peer for each router? " * 3])
def test_render_status_five_routers_fit_a_terminal(trouble: str) -> None:
    text = rendered(mesh(SITES, trouble))
    assert max(map(len, text.splitlines())) <= WIDTH
    for name in SITES:
        assert name in text


def test_render_status_note_of_a_router_is_below_the_problems() -> None:
    noted = replace(router("berlin"), note="its handler may not ping")
    text = rendered(view((noted, router("cologne"))))
    assert text.endswith("no problems\ni berlin: its handler may not ping\n")


def test_render_status_is_plain_ascii() -> None:
    assert rendered(mesh(SITES)).replace("\n", "").isprintable()
    assert rendered(mesh(SITES)).isascii()


def test_render_status_problem_of_500_routers_is_one_line_and_another_is_visible() -> None:
    names = tuple(f"router-{number}" for number in range(500))
    routers = tuple(router(name, "has never reported: import its script") for name in names)
    text = rendered(view((*routers, router("odd", "does not answer: look at its log"))))
    wrong = [line for line in text.splitlines() if line.startswith("!")]
    assert wrong == [
        "! router-0, router-1, 498 more: has never reported: import its script",
        "! odd: does not answer: look at its log",
    ]
    assert text.startswith("hub: running;")
    assert "501 routers, 0 links, 0 direct" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_render_status_links_that_are_not_direct_come_first() -> None:
    lines = rendered(view((), (link("a", "b"), link("c", "d", "the NATs do not meet: forward a port")))).splitlines()
    assert [line.split("  ")[0] for line in lines if " - " in line][:2] == ["c - d", "a - b"]


def test_render_status_stopped_or_frozen_hub_is_the_first_line() -> None:
    assert rendered(view(()), is_online=False).startswith("hub: NOT RUNNING")
    assert "FROZEN" in rendered(view((), is_frozen=True)).splitlines()[0]


def test_render_status_no_problems_is_the_last_line() -> None:
    assert rendered(mesh(SITES)).splitlines()[-1] == "no problems"


def test_render_status_ages_have_a_suitable_unit_and_are_never_negative() -> None:
    ages = {0: "0 s", 119: "119 s", 120: "2 min", 7199: "119 min", 7200: "2 h", 172_800: "2 d", -50: "0 s"}
    for age_s, text in ages.items():
        assert f"  {text} ago  " in rendered(view((router("berlin", handshake_s=NOW_S - age_s),)))
    assert "  never  " in rendered(view((router("berlin", heard_s=None),)))


def test_render_json_has_everything_that_the_hub_published() -> None:
    status = mesh(SITES, "does not answer: look at its log")
    body = json.loads(render_json(status, is_online=True))
    assert body.pop("online") is True
    assert body == {name: body[name] for name in HubStatus.__dataclass_fields__}
    assert decode_status(json.dumps({"v": 1, **body}).encode(), "topic") == status


def test_decode_status_encoded_status_is_the_same() -> None:
    status = mesh(SITES, "in trouble")
    assert decode_status(encode_status(status, status.routers, status.links), "topic") == status


def test_decode_status_unknown_fields_are_ignored() -> None:
    status = mesh(SITES)
    body = json.loads(encode_status(status, status.routers, status.links))
    body["colour"] = "green"
    body["routers"][0]["colour"] = body["links"][0]["colour"] = "green"
    assert decode_status(json.dumps(body).encode(), "topic") == mesh(SITES)


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[1]", b'{"v":2}', b'{"v":1,"routers":7}', b'{"v":1,"routers":[{}],"links":[]}', b"\xff"]
)
def test_decode_status_malformed_payload_is_none(payload: bytes) -> None:
    assert decode_status(payload, "topic") is None


TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates and control characters too
NUMBERS = st.integers() | st.floats() | st.sampled_from([1e308, -1e308, 253_402_300_800, 10**400])
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2))


def objects(names: Iterable[str], values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(dict.fromkeys(names, values))


LINES = {
    "routers": st.lists(objects(RouterLine.__dataclass_fields__, st.none() | NUMBERS | TEXTS) | VALUES, max_size=3),
    "links": st.lists(objects(LinkLine.__dataclass_fields__, st.none() | NUMBERS | TEXTS) | VALUES, max_size=3),
    "managed": st.lists(TEXTS, max_size=3) | VALUES,
}
STATUSES: st.SearchStrategy[Mapping[str, object]] = st.fixed_dictionaries(
    {name: LINES.get(name, TEXTS | VALUES) for name in HubStatus.__dataclass_fields__ if name != "at_s"}
    | {"v": st.just(1), "at_s": st.integers(0, 253_402_300_799) | NUMBERS}
)


def hostile_status(texts: list[str], number: float) -> dict[str, object]:
    """Return a well-formed status with these texts, since random JSON hardly reaches the renderer."""
    router_fields = [texts[4], texts[5], number, None, 1.5, texts[6], texts[7]]
    link_fields = [*texts[8:11], None, number, texts[11], texts[0]]
    return {
        "v": 1,
        "instance": texts[0],
        "version": texts[1],
        "is_frozen": False,
        "at_s": number,
        "managed": [texts[2]],
        "trouble": texts[3],
        "routers": [dict(zip(RouterLine.__dataclass_fields__, router_fields, strict=True))],
        "links": [dict(zip(LinkLine.__dataclass_fields__, link_fields, strict=True))],
    }


HOSTILE_STATUSES = st.builds(hostile_status, st.lists(TEXTS, min_size=12, max_size=12), st.floats(0, 1e11))
EVENTS: st.SearchStrategy[Mapping[str, object]] = st.fixed_dictionaries(
    {
        "v": st.just(1),
        "at_s": st.floats(0, 1e11) | NUMBERS,
        "level": TEXTS,
        "phrase": TEXTS | VALUES,
        "fields": st.dictionaries(TEXTS, TEXTS, max_size=3) | VALUES,
    }
)


def payloads(bodies: st.SearchStrategy[Mapping[str, object]]) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=40) | bodies.map(lambda body: json.dumps(body).encode("ascii"))


def assert_harmless(text: str) -> None:
    """Nothing in the text controls a terminal, except the line breaks."""
    assert text.replace("\n", "").isprintable()
    text.encode("utf-8")


@given(payloads(STATUSES | HOSTILE_STATUSES))
def test_status_of_any_payload_is_harmless_text(payload: bytes) -> None:
    status = decode_status(payload, "topic")
    if status is not None:
        assert_harmless(render_status(status, is_online=True, now_s=NOW_S))
        assert_harmless(render_json(status, is_online=False))


@given(payloads(EVENTS))
def test_event_of_any_payload_is_harmless_text(payload: bytes) -> None:
    event = decode_event(payload, "topic")
    if event is not None:
        assert_harmless(render_event(*event))


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\x9b31m", "\u202egnp", "\u2066", "\u200f", "\u061c", "\ud800"])
def test_text_that_controls_a_terminal_is_escaped_in_status_and_events(text: str) -> None:
    status = view((router(text, f"trouble {text}"),))
    read = decode_status(encode_status(status, status.routers, status.links), "topic")
    assert read is not None
    escaped = text.encode("unicode_escape").decode("ascii")
    assert_harmless(rendered(read))
    assert f"! {escaped}: trouble {escaped}" in rendered(read)
    event = decode_event(encode_event(Say("info", text, ((text, text),)), NOW_S), "topic")
    assert event is not None
    assert_harmless(render_event(*event))
    assert escaped in render_event(*event)


def test_managed_names_that_are_no_topic_levels_are_ignored() -> None:
    """The hub clears the topics of these names when the routers are gone."""
    body = {"v": 1, **json.loads(render_json(mesh(SITES), is_online=True)), "managed": ["berlin", "#", "a/b", "+", ""]}
    read = decode_status(json.dumps(body).encode(), "topic")
    assert read is not None
    assert read.managed == ("berlin",)
