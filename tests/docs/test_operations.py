"""The log's phrases are declared once, used everywhere, and printed into docs/operations.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.fault_table import PAGE, render_page, rows
from wgmqtt import phrases
from wgmqtt.cli.main import COMMANDS
from wgmqtt.logline import Phrase
from wgmqtt.phrases import SECTIONS

PACKAGE = Path(__file__).parents[2] / "wgmqtt"
PHRASES = {name: value for name, value in vars(phrases).items() if isinstance(value, Phrase)}
SOURCES = {path: path.read_text() for path in PACKAGE.glob("**/*.py")}


def test_operations_page_has_the_tables_of_the_declarations() -> None:
    page = PAGE.read_text()
    assert page == render_page(page), "run python -m tests.docs.fault_table"


def test_each_row_is_complete() -> None:
    cells = [row for section in SECTIONS for row in rows(section)]
    assert len(cells) > 20
    assert [row for row in cells if not all(row) or any("|" in cell or "\n" in cell for cell in row)] == []


def test_each_phrase_has_one_row_and_is_used() -> None:
    in_tables = [row for section in SECTIONS for row in section.rows if isinstance(row, Phrase)]
    assert sorted(row.text for row in in_tables) == sorted(phrase.text for phrase in PHRASES.values())
    assert len({phrase.text for phrase in in_tables}) == len(in_tables)
    used = set(re.findall(r"\bphrases\.([A-Z_]+)\b", "".join(SOURCES.values())))
    assert used == PHRASES.keys()


def calls_of_say() -> Iterator[tuple[str, ast.Call, str]]:
    """Yield the place of each call of `say` or `say_at` on a phrase by its name, the call, and that name."""
    for path, source in SOURCES.items():
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call):
                continue
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            position = {"say": 0, "say_at": 1}.get(function)
            if position is not None and isinstance(phrase := node.args[position], ast.Attribute):
                yield f"{path.name}:{node.lineno}", node, phrase.attr


def test_each_line_has_the_fields_that_its_phrase_declares() -> None:
    found = [
        (place, PHRASES[name].fields, tuple(str(keyword.arg) for keyword in call.keywords))
        for place, call, name in calls_of_say()
    ]
    assert len(found) > 20
    assert [each for each in found if each[1] != each[2]] == []


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_line_has_a_text_of_its_own(path: Path) -> None:
    """A phrase of the log is a constant of `phrases`; only what comes from the wire is made into a `Say` directly."""
    made = re.findall(r"\bSay\((?!\))", SOURCES[path])
    assert not made or path.name in {"logline.py", "hub.py"}


def test_each_command_of_the_steps_is_one_that_the_program_knows() -> None:
    """`wgmqtt COMMAND` in the text, against the table of commands."""
    known = {command.name for command in COMMANDS}
    used = set(re.findall(r"wgmqtt (gen-[a-z]+|check-config|run|status|events|freeze|unfreeze)\b", PAGE.read_text()))
    assert used <= known
    assert {"gen-rsc", "gen-mosquitto", "check-config", "run", "freeze", "unfreeze", "status"} <= used
