"""Every row of data/device-measured.json: the emulator answers what RouterOS 7.21 to 7.24 answered."""

import json
from typing import Any

import pytest

from lab.routeros.data import MEASURED
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, ScriptSyntaxError
from lab.routeros.language.grammar import PRECEDENCE, RIGHT_ASSOCIATIVE
from lab.routeros.language.interpreter import check, run
from tests.emulator.language.world import BareWorld

VERSION = "7.23.3"
ROWS: list[dict[str, Any]] = json.loads(MEASURED.read_text())["rows"]

# Rows that the emulator does not answer, with the reason. A row that it answers must not be listed.
NOT_ANSWERED: dict[tuple[str, str], str] = {
    ("array", "{1,2}"): "the length is known, the member is not, so the emulator stops",
    ("array", "{1;2,3}"): "the same",
}
UNARY_ONLY = frozenset({"!", "any"})


def rows(*kinds: str) -> list[Any]:
    return [
        pytest.param(row, id=f"{row['kind']}: {row.get('source', row.get('spelling'))}")
        for row in ROWS
        if row["kind"] in kinds and (row["kind"], row.get("source")) not in NOT_ANSWERED
    ]


def printed(script: str) -> list[str]:
    world = BareWorld(VERSION)
    run(script, world)
    return world.lines


@pytest.mark.parametrize("row", rows("literal", "expression"))
def test_value_of_a_measured_row_has_its_type_and_text(row: dict[str, Any]) -> None:
    source = row["source"]
    if source.startswith("{"):
        source = f"({source})"
    assert printed(f":put [:typeof {source}]; :put [:tostr {source}]") == [row["type"], row["value"]]


@pytest.mark.parametrize("row", rows("array-member"))
def test_member_of_a_measured_row_has_its_type_and_text(row: dict[str, Any]) -> None:
    script = f":local a {{{row['source']}}}; :put [:typeof ($a->0)]; :put [:tostr ($a->0)]"
    assert printed(script) == [row["type"], row["value"]]


@pytest.mark.parametrize("row", rows("array"))
def test_array_of_a_measured_row_has_its_length(row: dict[str, Any]) -> None:
    script = f":local a {row['source']}; :put [:typeof $a]; :put [:len $a]"
    if row["type"] == "error":
        with pytest.raises(ScriptSyntaxError):
            printed(script)
    else:
        assert printed(script) == [row["type"], str(row["length"])]


@pytest.mark.parametrize("row", rows("script"))
def test_script_of_a_measured_row_prints_its_output(row: dict[str, Any]) -> None:
    try:
        lines = printed(row["source"])
    except ScriptError as error:
        lines = [f"Script Error: {error}"]
    assert lines == [row["output"]]


@pytest.mark.parametrize("row", rows("parse"))
def test_text_of_a_measured_row_compiles_if_routeros_compiles_it(row: dict[str, Any]) -> None:
    try:
        check(row["source"], VERSION)
    except ScriptSyntaxError:
        accepted = False
    else:
        accepted = True
    assert accepted == row["accepted"]


@pytest.mark.parametrize("row", rows("operator"))
def test_operator_of_a_measured_row_groups_as_measured(row: dict[str, Any]) -> None:
    spelling = row["spelling"]
    if spelling in UNARY_ONLY:
        assert spelling not in PRECEDENCE
    else:
        assert PRECEDENCE[spelling] == row["precedence"]
        assert (spelling in RIGHT_ASSOCIATIVE) == (row["associativity"] == "right")


@pytest.mark.parametrize(("kind", "source"), NOT_ANSWERED, ids=str)
def test_row_that_is_not_answered_stops_the_emulator(kind: str, source: str) -> None:
    assert any(row["kind"] == kind and row["source"] == source for row in ROWS)
    with pytest.raises(NotImplementedInEmulator):
        printed(f":put [:len {source}]")
