"""Find what is wrong in a syntax tree: RouterOS's own errors, and what only a running script runs into.

`:parse` of RouterOS 7.20.8, 7.22.1 and 7.23 compiles an unknown command into its error, so the rest of the script runs
(measured with 912 scripts of users; an argument that is missing is treated alike). The rest of such a statement is then
parsed without knowing the command, and two things are syntax errors there: a block, and a string with a substitution as
the value of an argument. `/import` refuses the line (routeros-lsp's rules were measured with its dry-run).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from routeros_lsp.binder.binder import BindResult
from routeros_lsp.checker.commands import CommandAnalysis, Path, _CommandChecker, _Head
from routeros_lsp.checker.variables import RuleFinding
from routeros_lsp.rules import RULES
from routeros_lsp.schema.schema import ArgInfo, NodeInfo, Schema
from routeros_lsp.syntax.ast import (
    Brace,
    Element,
    Named,
    Operator,
    Script,
    Statement,
    StringLit,
    Subst,
    TextPart,
    Variable,
    Word,
)

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, ScriptSyntaxError
from lab.routeros.language.schema import missing_values

LATE = frozenset({"schema/unknown-command", "schema/missing-required"})
# routeros-lsp treats these as warnings because its own command list may be incomplete; the version's list is not.
_ERRORS = frozenset({"schema/unknown-command", "schema/unknown-parameter"})
# RouterOS accepts these; what it then does is not documented.
_UNCLEAR = frozenset({"syntax/stray-closer", "syntax/stray-backslash", "syntax/trailing-comment"})
_OPERATOR_AT_END = re.compile(r"[~<>=!.&|]$")
_OPERATOR_AT_START = re.compile(r"[~<>=!.&|]")
_COMMAND_NAME = re.compile(r"[A-Za-z0-9.-]+")
_AFTER_COMMAND_NAME = frozenset(["", *" \t\r\n;]})\\"])
_UNNAMED: Mapping[tuple[str, ...], list[str]] = {
    ("tool", "fetch"): ["url"]
}  # the arguments that unnamed values are for, where they are not required ones
# `else {…}` and `in $array` without `=` are read as `else={…}` and `in=$array` (7.22.1).
SPACED_ARGUMENTS: Mapping[tuple[str, str], type[Brace] | type[Variable]] = {
    ("if", "else"): Brace,
    ("foreach", "in"): Variable,
}


class _Checker(_CommandChecker):
    """The command checker of routeros-lsp; an unknown command leaves the menu path as it is."""

    def statement(self, statement: Statement, path: Path, lenient: bool = False) -> Path:  # noqa: FBT001, FBT002 - as there
        after = super().statement(statement, path, lenient)
        return path if after is None else after

    def head(self, statement: Statement, path: Path, lenient: bool) -> _Head:  # noqa: FBT001 - as there
        """Return what a statement begins with; after a menu path without a command nothing but a block is possible."""
        found = super().head(statement, path, lenient)
        if found.kind == "path" and found.rest and isinstance(found.rest[0], Named):
            self.report(
                "syntax/unexpected-equals", "A command is expected here.", found.rest[0].start, found.rest[0].end
            )
        return found

    def arguments(self, command: NodeInfo, command_path: tuple[str, ...], word: Word, args: list[Element]) -> None:
        """Check the arguments of a command.

        `where` means something only to commands that have conditions; an argument that is given by name cannot be given
        again without a name.
        """
        super().arguments(command, command_path, word, args)
        self._values(command_path, args)
        names = command.get("a", {})
        if "where" in names:
            return
        words = [index for index, element in enumerate(args) if isinstance(element, Word) and element.text == "where"]
        for element in args[words[0] :] if words else ():
            if isinstance(element, Named):
                self.report("schema/unknown-parameter", "Not a parameter of this command.", element.start, element.end)
        unnamed = [element for element in args if _is_unnamed(element, names)]
        slots = _UNNAMED.get(command_path, command.get("r") or [])[: command.get("u", 0)]
        given = {_argument_name(element) for element in args}
        if unnamed and len(slots) == command.get("u", 0) and given.issuperset(slots):
            self.report("schema/unexpected-argument", "Already given by name.", unnamed[0].start, unnamed[0].end)

    def _values(self, command_path: tuple[str, ...], args: list[Element]) -> None:
        missing = missing_values(self.schema.version)
        for element in args:
            value = element.value if isinstance(element, Named) else None
            if isinstance(value, Word) and value.text in missing.get((command_path, _argument_name(element)), ()):
                message = f"RouterOS {self.schema.version} has no value {value.text} here."
                self.report("emulator/unknown-value", message, value.start, value.end)


def _is_unnamed(element: Element, names: Mapping[str, ArgInfo]) -> bool:
    return not isinstance(element, Named | Operator) and not (isinstance(element, Word) and element.text in names)


def _argument_name(element: Element) -> str:
    if not isinstance(element, Named):
        return ""
    return element.name.text if isinstance(element.name, Word) else element.name.value


def analyse_commands(script: Script, schema: Schema) -> CommandAnalysis:
    """Return the menu path of each statement and the findings about its names and arguments."""
    analysis = _Checker(schema).run(script)
    spaced = {element.start for statement in analysis.contexts for element in _spaced_values(statement)}
    analysis.findings = [
        found for found in analysis.findings if found.rule != "schema/unexpected-argument" or found.start not in spaced
    ]
    return analysis


def _spaced_values(statement: Statement) -> list[Element]:
    head = statement.elements[0] if statement.elements else None
    if not isinstance(head, Word):
        return []
    return [
        value
        for name, value in pairwise(statement.elements)
        if isinstance(name, Word) and SPACED_ARGUMENTS.get((head.text, name.text)) is type(value)
    ]


def adjacent_conditions(commands: CommandAnalysis) -> frozenset[int]:
    """Return where values follow an operator without a space in the conditions of `find`, as in `find name~"x"`."""
    finds = {
        word.start
        for word in commands.resolutions
        if word.kind == "command" and word.name == "find" and "where" in word.node.get("a", {})
    }
    allowed = set()
    for statement in commands.contexts:
        ends = [start + len("find") for start in finds if statement.start <= start < statement.end]
        conditions = [element for element in statement.elements if ends and element.start >= min(ends)]
        allowed |= {right.start for left, right in pairwise(conditions) if _joins(left, right)}
    return frozenset(allowed)


def _joins(left: Element, right: Element) -> bool:
    """Return whether an operator ends one element or begins the next."""
    before = isinstance(left, Word) and _OPERATOR_AT_END.search(left.text) is not None
    return before or (isinstance(right, Word) and _OPERATOR_AT_START.match(right.text) is not None)


def late_errors(commands: CommandAnalysis, text: str) -> dict[Statement, ScriptError]:
    """Return the errors that only occur when a statement is reached, by statement."""
    late = [found for found in commands.findings if found.rule in LATE]
    errors: dict[Statement, ScriptError] = {}
    for found in late:
        around = [statement for statement in commands.contexts if statement.start <= found.start < statement.end]
        kind = ScriptError if found.rule == "schema/missing-required" else ScriptSyntaxError
        errors[max(around, key=lambda statement: statement.start)] = _as_error(found, text, kind)
    return errors


def errors_after_unknown_commands(commands: CommandAnalysis, late: Iterable[Statement], text: str) -> list[RuleFinding]:
    """Return the syntax errors in statements whose command is not known."""
    unknown = [found.start for found in commands.findings if found.rule == "schema/unknown-command"]
    places: list[int] = []
    for statement in late:
        begins = [start for start in unknown if statement.start <= start < statement.end]
        if begins:
            places += _impossible(statement, begins[0], text)
    message = "This is not possible in a command that RouterOS does not know."
    return [RuleFinding("emulator/after-unknown-command", message, place, place + 1) for place in places]


def _impossible(statement: Statement, begin: int, text: str) -> Iterator[int]:
    """Give the places of syntax errors in a statement whose unknown command begins here."""
    name = _COMMAND_NAME.match(text, begin)
    end = name.end() if name else begin
    if text[end : end + 1] not in _AFTER_COMMAND_NAME:
        yield end
    rest = [element for element in statement.elements if element.start >= end]
    for element in rest:
        if isinstance(element, Brace):
            yield element.start
        elif isinstance(element, Named) and isinstance(element.value, StringLit) and not _is_plain(element.value):
            yield element.equals_at
    for left, right in pairwise(rest):
        if left.end == right.start:
            yield right.start


def _is_plain(literal: StringLit) -> bool:
    return all(isinstance(part, TextPart) for part in literal.parts)


def closures(bound: BindResult) -> list[RuleFinding]:
    """Return the reads of an outer local variable in a function: RouterOS accepts them, and they are always nothing."""
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
            message = f"A function reads ${read.name}, a local variable around it."
            found.append(RuleFinding("emulator/closure", message, read.start, read.end))
    return found


def risky_statements(commands: CommandAnalysis) -> list[RuleFinding]:
    """Return the statements that begin with `[$` or `[:parse`: RouterOS may read more, or run more, than was meant."""
    found = []
    for statement in commands.contexts:
        head = statement.elements[0] if statement.elements and statement.prefix is None else None
        inner = head.body[0] if isinstance(head, Subst) and head.body else None
        if inner is None or not inner.elements:
            continue
        first = inner.elements[0]
        if isinstance(first, Variable):
            message = "RouterOS may read this as a part of the line before it: call the function without the brackets."
            found.append(RuleFinding("emulator/bracketed-call", message, statement.start, statement.end))
        elif isinstance(first, Word) and first.text == "parse":
            message = "A statement '[:parse …]' runs what it parses: assign the result."
            found.append(RuleFinding("emulator/parse-statement", message, statement.start, statement.end))
    return found


def refusal(findings: list[RuleFinding], text: str) -> Exception | None:
    """Return RouterOS's first error, or the first construct that the emulator does not know, or None."""
    in_order = sorted(findings, key=lambda found: (found.start, found.end))
    for found in in_order:
        if found.rule in _ERRORS or found.rule.startswith("emulator/"):
            return _as_error(found, text)
        if found.rule in RULES and RULES[found.rule].severity == "error":
            return _as_error(found, text)
    for found in in_order:
        if found.rule in _UNCLEAR:
            return NotImplementedInEmulator(f"{found.rule}: {found.message} {_place(found, text)}")
    return None


def _as_error(found: RuleFinding, text: str, kind: type[ScriptError] = ScriptSyntaxError) -> ScriptError:
    error = kind(f"{_routeros_text(found, text)} {_place(found, text)}", placed=True)
    error.add_note(f"{found.rule}: {found.message}")
    return error


def _place(found: RuleFinding, text: str) -> str:
    line = text.count("\n", 0, found.start) + 1
    return f"(line {line} column {found.start - text.rfind(chr(10), 0, found.start)})"


def _routeros_text(found: RuleFinding, text: str) -> str:
    """Return the words of RouterOS's own error: those of its `:parse` (7.22.1, 912 scripts) and of the manual."""
    words = "syntax error"
    match found.rule:
        case "schema/unknown-command":
            words = f"bad command name {text[found.start : found.end]}"
        case "schema/unknown-parameter" | "schema/unexpected-argument":
            words = "expected end of command"
        case "schema/missing-required":
            words = f"missing value(s) of argument(s) {found.message.partition(' for ')[2].rstrip('.')}"
        case "schema/parameter-needs-value" if "'where'" in found.message:
            words = "missing value for where"
        case "syntax/missing-closer" if "'}'" in found.message:
            words = "missing closing brace"
        case "syntax/expected-command" | "syntax/statement-starts-with-pair":
            words = "expected command name"
    return words
