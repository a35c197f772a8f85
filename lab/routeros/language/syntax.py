"""Compile source text to a program; reject what RouterOS rejects before it runs anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from routeros_lsp.binder.binder import BindOptions, BindResult, bind
from routeros_lsp.checker.commands import CommandAnalysis
from routeros_lsp.checker.variables import RuleFinding, check_variables
from routeros_lsp.schema.schema import Schema
from routeros_lsp.syntax.ast import Script, Statement

from lab.routeros.language.errors import ScriptError
from lab.routeros.language.findings import (
    LATE,
    adjacent_conditions,
    analyse_commands,
    closures,
    errors_after_unknown_commands,
    late_errors,
    refusal,
    risky_statements,
)
from lab.routeros.language.grammar import parse


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A parsed script. `lines` are the groups of top-level statements that share a scope.

    `late` are the errors that a statement causes when it is reached. `risks` are constructs that RouterOS accepts and a
    generated script must not contain (see lint.py).
    """

    text: str
    lines: "tuple[Line, ...]"
    schema: Schema
    commands: CommandAnalysis
    late: Mapping[Statement, ScriptError] = field(default_factory=dict)
    risks: tuple[RuleFinding, ...] = ()

    def line_of(self, offset: int) -> int:
        """Return the number of the line that holds the offset, from 1."""
        return self.text.count("\n", 0, offset) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Statements of one scope, and the error that RouterOS reports instead of running them, if any."""

    statements: tuple[Statement, ...]
    refusal: Exception | None


def decode_source(source: str) -> str:
    """Return the source with one character per byte, as in every string of the language."""
    return source.encode("utf-8").decode("latin-1")


@lru_cache(maxsize=256)  # a handler is the same text for every message
def compile_script(text: str, schema: Schema, scope: str) -> Program:
    """Return the program; with `scope` "script" the text is one line, with "import" each physical line is its own.

    In an import, a syntax error is part of its line, because RouterOS runs the lines before it.

    Raises:
        ScriptSyntaxError: RouterOS rejects the text ("script" only).
        NotImplementedInEmulator: it is not known whether RouterOS rejects the text ("script" only).
    """
    whole = scope == "script"
    parsed = parse(text, ends_at_stray_brace=whole)
    bound = bind(parsed.script, text, BindOptions(mode=scope, context_variables=frozenset()))
    commands = analyse_commands(parsed.script, schema)
    allowed = adjacent_conditions(commands)
    findings = [
        RuleFinding(d.rule, d.message, d.start, d.end)
        for d in parsed.diagnostics
        if d.rule != "syntax/adjacent-tokens" or d.start not in allowed
    ]
    findings += [*check_variables(bound), *commands.findings]
    late = late_errors(commands, text) if whole else {}
    if whole:
        findings = [found for found in findings if found.rule not in LATE]
        findings += errors_after_unknown_commands(commands, late, text)
    lines = _lines(parsed.script, bound, findings, text, scope)
    if whole and lines and lines[0].refusal is not None:
        raise lines[0].refusal
    risks = (*closures(bound), *risky_statements(commands), *parsed.ignored)
    return Program(text, lines, schema, commands, late, risks)


def _lines(script: Script, bound: BindResult, findings: list[RuleFinding], text: str, scope: str) -> tuple[Line, ...]:
    if scope == "script":
        return (Line(tuple(script.statements), refusal(findings, text)),)
    lines = []
    begin = 0
    spans = [found for found in bound.scopes if found.kind == "statement" and found.end > found.start]
    for number, span in enumerate(spans):
        end = spans[number + 1].start if number + 1 < len(spans) else len(text) + 1
        held = tuple(statement for statement in script.statements if span.start <= statement.start < end)
        lines.append(Line(held, refusal([f for f in findings if begin <= f.start < end], text)))
        begin = end
    if not spans:
        lines.append(Line((), refusal(findings, text)))
    return tuple(lines)
