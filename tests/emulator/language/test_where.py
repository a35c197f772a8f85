"""Conditions after `where` and `find`, and the arguments that reach a menu."""

from ipaddress import IPv4Address

import pytest

from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.interpreter import run
from lab.routeros.language.values import Array, Id, Ip, Time, Value
from tests.emulator.language.world import BareWorld, Items

MENU = "/interface/wireguard/peers"
ITEMS: dict[str, dict[str, Value]] = {
    "*1": {"name": "hub", "public-key": "aaa=", "endpoint-port": 13231, "disabled": False, "interface": "wg0"},
    "*2": {"name": "site-b", "public-key": "bbb=", "endpoint-port": 5, "disabled": True, "interface": "wg0"},
    "*3": {"name": "site-c", "public-key": "ccc=", "last-handshake": Time(5_000_000_000), "disabled": False},
}
CONDITIONS = {
    "": "*1;*2;*3",
    'where public-key="bbb="': "*2",
    'public-key="bbb="': "*2",
    'where name="hub" disabled=no': "*1",
    'where name="hub" and disabled=yes': "",
    'where name="hub" or name="site-c"': "*1;*3",
    'where name="hub" || name="site-c" && disabled=yes': "*1",
    "where disabled": "*2",
    "where !disabled": "*1;*3",
    'where name~"^site-"': "*2;*3",
    "where endpoint-port=5": "*2",
    "where endpoint-port>5": "*1",
    "where endpoint-port>=5": "*1;*2",
    "where endpoint-port<=5": "*2",
    'where name!="hub"': "*2;*3",
    "where interface=wg0 endpoint-port=5": "*2",
    "where last-handshake<1m": "*3",
    "where endpoint-port=$wanted": "*2",
    "where endpoint-port=($wanted + 13226)": "*1",
    'where (name="hub" or disabled)': "*1;*2",
    'where (name="hub")=false': "*2;*3",
    'where (name~"site")=true disabled': "*2",
    'where public-key~("^" . "a")': "*1",
    'where comment="x"': "",
}
UNKNOWN = [
    "where name",
    "where name=5",
    'where comment=""',
    'where (name="hub")=5',
    'where name = "hub"',
    'where !name="hub"',
    "where name=hub|x",
]


def found(condition: str, before: str = "") -> str:
    world = BareWorld(menus={MENU: Items(ITEMS)})
    run(f"{before}:local wanted 5; :put [{MENU}/find {condition}]", world)
    return world.lines[0]


@pytest.mark.parametrize(("condition", "ids"), CONDITIONS.items())
def test_condition_finds_its_items(condition: str, ids: str) -> None:
    assert found(condition) == ids


@pytest.mark.parametrize("condition", UNKNOWN)
def test_condition_that_was_never_measured_is_not_implemented(condition: str) -> None:
    with pytest.raises(NotImplementedInEmulator):
        found(condition)


def test_variable_named_like_a_property_is_not_implemented() -> None:
    """The manual, Reserved variable names: `where name=$name` compares the property with itself."""
    with pytest.raises(NotImplementedInEmulator, match="also a property's name"):
        found("where name=$name", ':local name "hub"; ')


def test_arguments_reach_the_menu_as_values() -> None:
    items = Items(ITEMS)
    run(
        f'{MENU}/set [find where name="hub"] endpoint-address=1.2.3.4 endpoint-port=(5 + 1) comment="a\\tb" name=',
        BareWorld(menus={MENU: items}),
    )
    find, call = items.calls
    assert (find.menu, find.verb, call.verb) == (MENU, "find", "set")
    assert call.unnamed == (Array((Id("*1"),)),)
    address = Ip(IPv4Address("1.2.3.4"))
    assert call.named == {"endpoint-address": address, "endpoint-port": 6, "comment": "a\tb", "name": ""}


def test_flags_and_unnamed_words_are_distinguished() -> None:
    items = Items(ITEMS)
    run(f"{MENU}/print count-only where disabled; {MENU}/get *1 endpoint-port", BareWorld(menus={MENU: items}))
    printing, getting = items.calls
    assert printing.flags == {"count-only"}
    assert printing.where is not None
    assert [printing.where(item) for item in ITEMS.values()] == [False, True, False]
    assert getting.unnamed == (Id("*1"), "endpoint-port")


@pytest.mark.parametrize("path", [MENU, MENU.replace("/", " ").replace(" ", "/", 1)])
def test_path_is_written_with_slashes_or_spaces(path: str) -> None:
    items = Items(ITEMS)
    run(f"{path} remove *1", BareWorld(menus={MENU: items}))
    assert items.calls[0].menu == MENU
