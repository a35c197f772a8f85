"""The table of faults in docs/operations.md and the code know the same log lines."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "operations.md"
PACKAGE = ROOT / "wgmqtt"


def rows() -> list[list[str]]:
    """Return the cells of the table of faults, without its head."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def phrases_of_the_table() -> set[str]:
    """Return every phrase of the last column: what stands in backquotes and is no `key=value` and no command."""
    quoted = {text for row in rows() for text in re.findall(r"`([^`]*)`", row[-1])}
    return {text for text in quoted if "=" not in text and not text.startswith("wgmqtt ")}


def warnings_of_the_table() -> set[str]:
    return {phrase for row in rows() for phrase in re.findall(r"\*\*`([^`]+)`\*\*", row[-1])}


def is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def texts_of(node: ast.AST, function: ast.AST, module: ast.Module) -> set[str]:
    """Return the texts that an expression can be: a literal, one of two, a name for one, what a function returns."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp():
            return texts_of(node.body, function, module) | texts_of(node.orelse, function, module)
        case ast.Name(id=name):
            assigned = [each for each in ast.walk(function) if isinstance(each, ast.Assign)]
            values = [each.value for each in assigned if any(is_name(target, name) for target in each.targets)]
        case ast.Call(func=ast.Name(id=called)):
            values = [
                each.value
                for callee in module.body
                if isinstance(callee, ast.FunctionDef) and callee.name == called
                for each in ast.walk(callee)
                if isinstance(each, ast.Return) and each.value is not None
            ]
        case _:
            values = []
    return set().union(*(texts_of(value, function, module) for value in values))


def warnings_of_the_code() -> Iterator[tuple[str, set[str]]]:
    """Yield each place that may warn, and the phrases it may use."""
    for path in sorted(PACKAGE.glob("**/*.py")):
        module = ast.parse(path.read_text())
        for function in ast.walk(module):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and is_name(call.func, "say"):
                    level, phrase = call.args
                    if "warning" in texts_of(level, function, module) or not isinstance(
                        level, ast.Constant | ast.IfExp
                    ):
                        yield f"{path.name}:{call.lineno}", texts_of(phrase, function, module)


def test_each_phrase_of_the_table_stands_in_the_code() -> None:
    constants = {
        node.value
        for path in PACKAGE.glob("**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    }
    assert phrases_of_the_table() - constants == set()


def test_each_warning_of_the_code_is_a_warning_of_the_table() -> None:
    found = list(warnings_of_the_code())
    assert [place for place, phrases in found if not phrases] == [], "a phrase that this test cannot follow"
    assert len(found) >= 8
    assert set().union(*(phrases for _, phrases in found)) == warnings_of_the_table()


def test_each_row_says_what_the_daemon_does_and_what_it_says() -> None:
    assert len(rows()) > 20
    assert [row for row in rows() if len(row) != 3 or not all(row)] == []


def test_each_command_of_the_steps_is_one_that_the_program_knows() -> None:
    """`wgmqtt COMMAND` in the text, against the table of commands in the command line's own source."""
    known = set(re.findall(r'\badd\("([a-z-]+)"', (PACKAGE / "cli" / "main.py").read_text()))
    used = set(re.findall(r"wgmqtt (gen-[a-z]+|check-config|run|status|events|freeze|unfreeze)\b", TABLE.read_text()))
    assert used <= known
    assert {"gen-rsc", "gen-mosquitto", "check-config", "run", "freeze", "unfreeze", "status"} <= used
