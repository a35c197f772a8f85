"""The switches of the emulator as texts, and the comparison of versions."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from lab.routeros.switches import SWITCHES, Switches, parse_switches, render_switches
from lab.routeros.versions import is_between

CHECKLIST = (Path(__file__).parents[2] / "docs/first-router.md").read_text("utf-8")


def test_parse_switches_every_position_is_read() -> None:
    texts = ["get_gives=str", "same_endpoint_disturbs=yes", "hook_permissions=no-test", "iot_listed_not_installed=True"]
    assert parse_switches(texts) == Switches(
        same_endpoint_disturbs=True, get_gives="str", hook_permissions="no-test", iot_listed_not_installed=True
    )
    assert parse_switches([]) == Switches()


@pytest.mark.parametrize("text", ["nonsense=yes", "get_gives=yes", "get_gives", "same_endpoint_disturbs=perhaps"])
def test_parse_switches_wrong_text_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"there are|expected one of"):
        parse_switches([text])


@pytest.mark.parametrize(
    ("version", "inside"), [("7.14.3", False), ("7.15", True), ("7.16.2", True), ("7.16.9", True), ("7.17", False)]
)
def test_is_between_includes_every_release_of_the_last_version(version: str, inside: bool) -> None:  # noqa: FBT001 - a table
    assert is_between(version, since="7.15", until="7.16") is inside


def test_table_describes_every_switch_and_every_position_can_be_parsed() -> None:
    assert list(SWITCHES) == [field.name for field in fields(Switches)]
    for name, switch in SWITCHES.items():
        parsed = [parse_switches([f"{name}={position}"]) for position in switch.positions]
        assert len(set(parsed)) == len(switch.positions)
        assert Switches() in parsed, name


@pytest.mark.parametrize("name", SWITCHES)
def test_step_that_settles_a_switch_is_in_the_checklist(name: str) -> None:
    for step in SWITCHES[name].settled_by:
        assert re.search(rf"^{step}\. |^\| {step} \|", CHECKLIST, re.MULTILINE), step


def test_table_is_printed_with_every_switch_position_and_step() -> None:
    text = render_switches()
    assert "get_gives: the type of an endpoint's address in get, find and print (docs/first-router.md, A3)" in text
    assert "    str: a text" in text
