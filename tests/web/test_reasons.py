"""The labels against every sentence that the hub's diagnosis can publish about a link."""

import ast
from collections.abc import Iterator
from pathlib import Path

from wgmqtt.engine import diagnosis
from wgmqtt.web.reasons import NONE, OTHER, REASONS, reason_of

SOURCE = Path(diagnosis.__file__).read_text()
LINK_RULES = {rule.__name__ for rule in diagnosis.LINK_RULES}


def sentences() -> list[str]:
    """Return every sentence that the rules for links can return, with a name where one is filled in."""
    functions = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.FunctionDef)]
    rules = [node for node in functions if node.name in LINK_RULES | {"_endpoint_dependent_nat", "_second_line"}]
    return [text for rule in rules for text in _texts(rule) if len(text.split()) > 1]


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts in a function, but for its docstring and for what follows a sentence of another function."""
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        if not (
            isinstance(first, ast.FormattedValue) and isinstance(first.value, ast.Name) and first.value.id == "text"
        ):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "berlin-2" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif not isinstance(node, ast.Expr):
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def test_every_sentence_of_the_diagnosis_has_a_label_of_its_own() -> None:
    assert len(sentences()) >= 11
    assert [text for text in sentences() if reason_of(text) in (OTHER, NONE)] == []


def test_every_label_is_one_of_the_declared_ones() -> None:
    assert {reason_of(text) for text in [*sentences(), "", "something new"]} <= set(REASONS)


def test_text_without_a_diagnosis_and_an_unknown_one_have_labels() -> None:
    assert reason_of("") == NONE
    assert reason_of("berlin is on the moon") == OTHER
    assert reason_of("see berlin") == "router-in-trouble"
