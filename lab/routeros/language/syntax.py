"""Compile source text to a program; reject what RouterOS rejects before it runs anything."""

from dataclasses import dataclass
from functools import lru_cache

from routeros_lsp.binder.binder import BindOptions, BindResult, bind
from routeros_lsp.checker.commands import CommandAnalysis, check_commands
from routeros_lsp.checker.variables import RuleFinding, check_variables
from routeros_lsp.rules import RULES
from routeros_lsp.schema.schema import Schema
from routeros_lsp.syntax.ast import Script, Statement

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptSyntaxError
from lab.routeros.language.grammar import parse

# routeros-lsp treats these as warnings because its own command list may be incomplete; the version's list is not.
_ERRORS = frozenset({"schema/unknown-command", "schema/unknown-parameter"})
# RouterOS accepts these; what it then does is not documented.
_UNCLEAR = frozenset({"syntax/stray-closer", "syntax/stray-backslash", "syntax/trailing-comment"})


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A parsed script. `lines` are the groups of top-level statements that share a scope."""

    text: str
    lines: "tuple[Line, ...]"
    schema: Schema
    commands: CommandAnalysis

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
    parsed = parse(text)
    options = BindOptions(mode=scope, context_variables=frozenset())
    bound = bind(parsed.script, text, options)
    commands = check_commands(parsed.script, schema)
    findings = [RuleFinding(d.rule, d.message, d.start, d.end) for d in parsed.diagnostics]
    findings += [*check_variables(bound), *commands.findings, *_closures(bound)]
    if scope == "script":
        late = {statement.start for statement, path in commands.contexts.items() if _is_late(statement, path)}
        findings = [_without_judgement(f) if f.start in late else f for f in findings]
    lines = _lines(parsed.script, bound, findings, text, scope)
    if scope == "script" and lines and lines[0].refusal is not None:
        raise lines[0].refusal
    return Program(text, lines, schema, commands)


def _lines(script: Script, bound: BindResult, findings: list[RuleFinding], text: str, scope: str) -> tuple[Line, ...]:
    if scope == "script":
        return (Line(tuple(script.statements), _refusal(findings, text)),)
    lines = []
    begin = 0
    spans = [found for found in bound.scopes if found.kind == "statement" and found.end > found.start]
    for number, span in enumerate(spans):
        end = spans[number + 1].start if number + 1 < len(spans) else len(text) + 1
        held = tuple(statement for statement in script.statements if span.start <= statement.start < end)
        lines.append(Line(held, _refusal([f for f in findings if begin <= f.start < end], text)))
        begin = end
    if not spans:
        lines.append(Line((), _refusal(findings, text)))
    return tuple(lines)


def _is_late(statement: Statement, path: tuple[str, ...] | None) -> bool:
    return statement.prefix is None and path == ()


def _without_judgement(finding: RuleFinding) -> RuleFinding:
    """Mark an unknown word without `:` or `/`: a script compiles with it and fails when it gets there (7.22.1)."""
    if finding.rule != "schema/unknown-command":
        return finding
    return RuleFinding("emulator/late-command", finding.message, finding.start, finding.end)


def _closures(bound: BindResult) -> list[RuleFinding]:
    """Find reads of an outer local variable in a function: by one source it is empty, by another a syntax error."""
    functions = [scope for scope in bound.scopes if scope.kind == "function"]
    found = []
    for read in bound.references:
        around = [scope for scope in functions if scope.start <= read.start < scope.end]
        if read.access != "read" or not around:
            continue
        function = max(around, key=lambda scope: scope.start)
        same_name = [declaration for declaration in bound.declarations if declaration.name == read.name]
        inside = [d for d in same_name if function.start <= d.start < function.end]
        visible = [d for d in same_name if d.kind != "global" and d.scope.start <= function.start < d.scope.end]
        if visible and not inside:
            found.append(RuleFinding("emulator/closure", read.name, read.start, read.end))
    return found


def _refusal(findings: list[RuleFinding], text: str) -> Exception | None:
    in_order = sorted(findings, key=lambda found: (found.start, found.end))
    for finding in in_order:
        if finding.rule in _ERRORS or (finding.rule in RULES and RULES[finding.rule].severity == "error"):
            error = ScriptSyntaxError(f"{_routeros_text(finding, text)} {_place(finding, text)}", placed=True)
            error.add_note(f"{finding.rule}: {finding.message}")
            return error
    for finding in in_order:
        if finding.rule in _UNCLEAR or finding.rule == "emulator/late-command":
            return NotImplementedInEmulator(f"{finding.rule}: {finding.message} {_place(finding, text)}")
        if finding.rule == "emulator/closure":
            place = _place(finding, text)
            return NotImplementedInEmulator(f"a function reads ${finding.message}, a local around it {place}")
    return None


def _place(finding: RuleFinding, text: str) -> str:
    line = text.count("\n", 0, finding.start) + 1
    return f"(line {line} column {finding.start - text.rfind(chr(10), 0, finding.start)})"


def _routeros_text(finding: RuleFinding, text: str) -> str:
    """Return the words of RouterOS's own error: those of its `:parse` (7.22.1, 912 scripts) and of the manual."""
    words = "syntax error"
    match finding.rule:
        case "schema/unknown-command":
            words = f"bad command name {text[finding.start : finding.end]}"
        case "schema/unknown-parameter" | "schema/unexpected-argument":
            words = "expected end of command"
        case "schema/missing-required":
            words = f"missing value(s) of argument(s) {finding.message.partition(' for ')[2].rstrip('.')}"
        case "schema/parameter-needs-value" if "'where'" in finding.message:
            words = "missing value for where"
        case "syntax/missing-closer" if "'}'" in finding.message:
            words = "missing closing brace"
        case "syntax/expected-command" | "syntax/statement-starts-with-pair":
            words = "expected command name"
    return words
