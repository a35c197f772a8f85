"""The switches of the emulator as texts, and the comparison of versions."""

import pytest

from lab.routeros.switches import Switches, parse_switches
from lab.routeros.versions import is_between


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
