"""The hub's view as a person reads it, and as other programs do."""

import json
from dataclasses import replace
from typing import Any

import pytest

from wgmqtt.cli.status_text import WIDTH, render_json, render_status
from wgmqtt.wire.hub import HubStatus, LinkLine, RouterLine, decode_status, encode_status

NOW_S = 1_700_000_000.0
SITES = ("berlin-mitte", "hamburg-lager", "koeln-ost", "muenchen-nord", "dresden")


def router(name: str, trouble: str = "", **others: Any) -> RouterLine:  # noqa: ANN401 - fields of RouterLine
    """Return a router that works, unless something else is said."""
    times: dict[str, Any] = {"handshake_s": NOW_S - 119, "heard_s": NOW_S - 6500, "applied_ms": 12_345.6, **others}
    return RouterLine(name, "203.0.113.211:51820", trouble=trouble, **times)


def link(one: str, other: str, trouble: str = "") -> LinkLine:
    """Return a link that is direct, or one in trouble."""
    state, since_s, ms = ("down", None, None) if trouble else ("direct", NOW_S - 7199, 12_345.6)
    return LinkLine(one, other, state, since_s, ms, trouble)


def view(routers: tuple[RouterLine, ...], links: tuple[LinkLine, ...] = (), *, is_frozen: bool = False) -> HubStatus:
    """Return what the hub publishes of these."""
    names = tuple(line.name for line in routers)
    return HubStatus("0badcafe", "0.1.0", is_frozen, NOW_S - 3, names, routers, links)


def rendered(status: HubStatus, *, is_online: bool = True) -> str:
    """Return the text that a person sees."""
    return render_status(status, is_online=is_online, now_s=NOW_S)


def mesh(names: tuple[str, ...], trouble: str = "") -> HubStatus:
    """Return all linked to all."""
    links = tuple(link(one, other, trouble) for one in names for other in names if one < other)
    return view(tuple(router(name, trouble) for name in names), links)


@pytest.mark.parametrize("trouble", ["", "rejected entries (a long error): has it a peer for each router? " * 3])
def test_five_routers_fit_a_terminal(trouble: str) -> None:
    text = rendered(mesh(SITES, trouble))
    assert max(map(len, text.splitlines())) <= WIDTH
    for name in SITES:
        assert name in text


def test_note_of_a_router_stands_below_what_is_wrong() -> None:
    noted = replace(router("berlin"), note="its handler may not ping")
    text = rendered(view((noted, router("cologne"))))
    assert text.endswith("nothing is wrong\ni berlin: its handler may not ping\n")


def test_text_is_plain() -> None:
    assert rendered(mesh(SITES)).replace("\n", "").isprintable()
    assert rendered(mesh(SITES)).isascii()


def test_500_routers_that_suffer_the_same_are_one_line_and_the_odd_one_stands_out() -> None:
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


def test_links_that_are_not_direct_come_first() -> None:
    lines = rendered(view((), (link("a", "b"), link("c", "d", "the NATs do not meet: forward a port")))).splitlines()
    assert [line.split("  ")[0] for line in lines if " - " in line][:2] == ["c - d", "a - b"]


def test_hub_that_stopped_and_hub_that_is_frozen_say_so_first() -> None:
    assert rendered(view(()), is_online=False).startswith("hub: NOT RUNNING")
    assert "FROZEN" in rendered(view((), is_frozen=True)).splitlines()[0]


def test_nothing_wrong_is_said() -> None:
    assert rendered(mesh(SITES)).splitlines()[-1] == "nothing is wrong"


def test_ages_are_told_in_units_a_person_thinks_in_and_never_below_zero() -> None:
    ages = {0: "0 s", 119: "119 s", 120: "2 min", 7199: "119 min", 7200: "2 h", 172_800: "2 d", -50: "0 s"}
    for age_s, text in ages.items():
        assert f"  {text} ago  " in rendered(view((router("berlin", handshake_s=NOW_S - age_s),)))
    assert "  never  " in rendered(view((router("berlin", heard_s=None),)))


def test_json_says_everything_that_the_hub_published() -> None:
    status = mesh(SITES, "does not answer: look at its log")
    body = json.loads(render_json(status, is_online=True))
    assert body.pop("online") is True
    assert body == {name: body[name] for name in HubStatus.__dataclass_fields__}
    assert decode_status(json.dumps({"v": 1, **body}).encode(), "topic") == status


def test_view_survives_its_way_over_the_broker() -> None:
    status = mesh(SITES, "in trouble")
    assert decode_status(encode_status(status, status.routers, status.links), "topic") == status


def test_younger_contract_with_more_fields_is_read() -> None:
    status = mesh(SITES)
    body = json.loads(encode_status(status, status.routers, status.links))
    body["colour"] = "green"
    body["routers"][0]["colour"] = body["links"][0]["colour"] = "green"
    assert decode_status(json.dumps(body).encode(), "topic") == mesh(SITES)


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[1]", b'{"v":2}', b'{"v":1,"routers":7}', b'{"v":1,"routers":[{}],"links":[]}', b"\xff"]
)
def test_what_is_no_view_is_no_view(payload: bytes) -> None:
    assert decode_status(payload, "topic") is None
