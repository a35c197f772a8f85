"""The commands of a menu of items, and how arguments are read; without device and broker."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Array, Id, Nil, Nothing, Time, Value, render
from lab.routeros.menus.arguments import read_address, read_bool, read_number, read_prefixes, read_span, read_text
from lab.routeros.menus.items import Change, Item, ItemMenu, Reader
from lab.routeros.menus.system import PackagesMenu, clock_menu, identity_menu, resource_menu


class Things(ItemMenu):
    """A menu with a name, a number and a flag."""

    required = ("name",)
    lacking = frozenset({"colour"})

    def __init__(self) -> None:
        readers: dict[str, Reader] = {"name": read_text, "disabled": read_bool}
        readers["size"] = lambda name, value: read_number(name, value, 1, 9)
        super().__init__("/things", readers, ("live",))
        self.defaults = {"disabled": False}
        self.carried_out: list[str] = []

    def check(self, kept: Mapping[str, Value], item: Item | None) -> None:
        """Reject one name."""
        if kept["name"] == "bad":
            raise ScriptError(f"bad {'new' if item is None else item.id}")

    def added(self, item: Item) -> None:
        """Record the call, or fail."""
        self._note("add", item)

    def changed(self, change: Change) -> None:
        """Record the call, or fail."""
        self._note("set", change.item)

    def removed(self, item: Item) -> None:
        """Record the call, or fail."""
        self._note("remove", item)

    def _note(self, what: str, item: Item) -> None:
        if item.kept["name"] == "breaks":
            raise ScriptError("broken")
        self.carried_out.append(f"{what} {item.id}")

    def do(self, verb: str, *unnamed: Value, flags: tuple[str, ...] = (), **named: Value) -> Value:
        """Carry out a command."""
        names = {name.replace("_", "-"): value for name, value in named.items()}
        return self.call(Call("/things", verb, unnamed, names, frozenset(flags)))

    def found(self) -> list[str]:
        """Return the names of all items."""
        return [render(item.kept["name"]) for item in self.items.values()]


@pytest.fixture
def things() -> Things:
    menu = Things()
    for name in ("one", "two"):
        menu.do("add", name=name)
    return menu


def test_add_never_reuses_an_id(things: Things) -> None:
    assert things.do("find") == Array((Id("*1"), Id("*2")))
    things.do("remove", Id("*2"))
    assert things.do("add", name="three") == Id("*3")


def test_find_evaluates_where_for_each_item(things: Things) -> None:
    call = Call("/things", "find", where=lambda properties: properties["name"] == "two")
    assert things.call(call) == Array((Id("*2"),))


def test_find_where_with_an_unknown_property_is_not_implemented(things: Things) -> None:
    with pytest.raises(NotImplementedInEmulator, match="weight"):
        things.call(Call("/things", "find", where=lambda properties: properties.get("weight") == 1))


@pytest.mark.parametrize("target", [Id("*2"), "*2", "two", Array((Id("*2"),))])
def test_get_item_by_id_text_name_or_array_of_one(things: Things, target: Value) -> None:
    assert things.do("get", target, "name") == "two"
    assert things.do("get", number=target, value_name="name") == "two"


def test_get_without_property_returns_all_properties_with_a_value(things: Things) -> None:
    got = things.do("get", "two")
    assert got == Array(keyed={".id": Id("*2"), "name": "two", "disabled": False})


def test_get_property_without_value_is_nothing(things: Things) -> None:
    assert things.do("get", "two", "size") == Nothing()


# RouterOS's own texts; "invalid internal item number" for no item and for several items is reported by users.
GET_ERRORS: list[tuple[tuple[Value, ...], str]] = [
    ((Id("*9"), "name"), "no such item"),
    (("nine", "name"), "no such item"),
    ((Array(), "name"), "invalid internal item number"),
    ((Array((Id("*1"), Id("*2"))), "name"), "invalid internal item number"),
    ((Nothing(), "name"), "invalid internal item number"),
    ((Nil(), "name"), "invalid internal item number"),
    ((Id("*1"), "nonsense"), "input does not match any value of value-name"),
]


@pytest.mark.parametrize(("unnamed", "text"), GET_ERRORS)
def test_get_of_a_wrong_target_or_property_is_an_error(things: Things, unnamed: tuple[Value, ...], text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        things.do("get", *unnamed)
    assert str(caught.value) == text


def test_get_property_that_the_emulator_lacks_is_not_implemented(things: Things) -> None:
    with pytest.raises(NotImplementedInEmulator, match="colour"):
        things.do("get", "one", "colour")


def test_get_by_item_number_is_not_implemented(things: Things) -> None:
    with pytest.raises(NotImplementedInEmulator, match="item number 0"):
        things.do("get", 0, "name")


def test_set_of_several_changes_each(things: Things) -> None:
    things.do("set", Array((Id("*1"), Id("*2"))), size=3)
    assert [things.do("get", name, "size") for name in ("one", "two")] == [3, 3]


def test_set_of_none_changes_nothing(things: Things) -> None:
    things.do("set", Array(), size=3)
    assert things.carried_out == ["add *1", "add *2"]


def test_set_without_target_is_an_error(things: Things) -> None:
    with pytest.raises(ScriptError, match=r"missing value\(s\) of argument\(s\) numbers"):
        things.do("set", size=3)


@pytest.mark.parametrize("name", ["bad", "breaks"])
def test_rejected_change_leaves_the_item_unchanged(things: Things, name: str) -> None:
    with pytest.raises(ScriptError):
        things.do("set", "one", name=name)
    with pytest.raises(ScriptError):
        things.do("add", name=name)
    assert things.found() == ["one", "two"]


def test_add_without_a_required_argument_is_an_error(things: Things) -> None:
    with pytest.raises(ScriptError) as caught:
        things.do("add", size=1)
    assert str(caught.value) == "missing value(s) of argument(s) name"


def test_enable_and_disable_set_disabled(things: Things) -> None:
    things.do("disable", "one")
    assert things.do("get", "one", "disabled") is True
    things.do("enable", "one")
    assert things.do("get", "one", "disabled") is False


def test_print_counts_and_lists(things: Things) -> None:
    assert things.do("print", flags=("count-only",)) == 2
    listed = things.do("print", flags=("as-value",), proplist="name,.id")
    assert isinstance(listed, Array)
    assert listed.items[0] == Array(keyed={".id": Id("*1"), "name": "one"})


@pytest.mark.parametrize(("verb", "flags"), [("print", ()), ("move", ()), ("print", ("as-value", "follow"))])
def test_unsupported_command_is_not_implemented(things: Things, verb: str, flags: tuple[str, ...]) -> None:
    with pytest.raises(NotImplementedInEmulator):
        things.do(verb, flags=flags)


@given(st.integers(-20, 20))
def test_read_number_accepts_only_numbers_in_the_range(number: int) -> None:
    for value in (number, str(number)):
        if 1 <= number <= 9:
            assert read_number("size", value, 1, 9) == number
        else:
            with pytest.raises(ScriptError, match=r"value of size out of range \(1\.\.9\)"):
                read_number("size", value, 1, 9)


@pytest.mark.parametrize("value", ["", "1x", "٣", True, Nothing(), Time(1)])
def test_read_number_of_something_else_is_an_error(value: Value) -> None:
    with pytest.raises(ScriptError, match="invalid value for argument size"):
        read_number("size", value, 1, 9)


def test_read_span_accepts_seconds_and_times() -> None:
    assert read_span("interval", 2) == read_span("interval", "2") == Time(2_000_000_000)


def test_read_address_keeps_the_family() -> None:
    assert str(read_address("a", "192.0.2.1")) == "192.0.2.1"
    assert str(read_address("a", "2001:DB8:0::7")) == "2001:db8::7"
    with pytest.raises(ScriptError):
        read_address("a", "[2001:db8::7]")


def test_read_prefixes_accepts_text_with_commas() -> None:
    assert str(read_prefixes("a", "10.0.0.1/24,2001:db8::/32,192.0.2.1")) == "10.0.0.1/24;2001:db8::/32;192.0.2.1/32"


def test_packages_of_an_older_version_are_only_those_installed() -> None:
    old = PackagesMenu("7.17.1", iot_installed=False, iot_listed=True)
    new = PackagesMenu("7.20.8", iot_installed=False, iot_listed=True)
    assert [len(menu.items) for menu in (old, new)] == [1, 2]
    assert new.call(Call("/system/package", "get", ("iot", "disabled"))) is True


def test_settings_menus_get_and_set() -> None:
    assert resource_menu("7.16.2").call(Call("/system/resource", "get", ("version",))) == "7.16.2 (stable)"
    identity = identity_menu("a")
    identity.call(Call("/system/identity", "set", named={"name": "b"}))
    assert identity.call(Call("/system/identity", "get", named={"value-name": "name"})) == "b"
    assert isinstance(clock_menu("7.20").call(Call("/system/clock", "get", ("time",))), Time)
    with pytest.raises(NotImplementedInEmulator, match="cpu-load"):
        resource_menu("7.16.2").call(Call("/system/resource", "get", ("cpu-load",)))
