"""Parse with routeros-lsp's parser, and with the operators and precedences that were measured on RouterOS.

Source: the `operator`, `parse` and `array-member` rows of data/device-measured.json. The parser of routeros-lsp
groups by guessed precedences and has no `any`, `<%%`, unary `>` or array member that begins with `::`.
"""

import re
from dataclasses import dataclass

from routeros_lsp.checker.variables import RuleFinding
from routeros_lsp.syntax.ast import (
    Binary,
    Brace,
    Element,
    Expr,
    Missing,
    Named,
    Script,
    Statement,
    StringLit,
    StringPart,
    Unary,
    Variable,
    VariablePart,
    Word,
)
from routeros_lsp.syntax.parser import SyntaxDiagnostic, _Parser

PRECEDENCE = {
    ",": 1,
    "or": 2,
    "||": 2,
    "and": 3,
    "&&": 3,
    "in": 4,
    "<": 5,
    ">": 5,
    "=": 5,
    "<=": 5,
    ">=": 5,
    "!=": 5,
    "~": 5,
    ".": 6,
    "<<": 7,
    ">>": 7,
    "|": 8,
    "^": 9,
    "&": 10,
    "+": 11,
    "-": 11,
    "*": 12,
    "/": 12,
    "%": 12,
    "<%%": 13,
    "->": 14,
}
RIGHT_ASSOCIATIVE = frozenset({"<<", ">>", "<%%"})
_UNARY_BINDS_TIGHTEST = 99

_SYMBOL = re.compile(r"<%%|&&|\|\||<<|>>|<=|>=|!=|->|[-+*/%<>=~&|^.,]")
_WORD_OPERATOR = re.compile(r"(and|or|in)(?![A-Za-z0-9_])")
_ANY = re.compile(r"any(?![A-Za-z0-9_])")
_NO_WORD = re.compile(r"[ \t\r\n;{}\[\]()\"$]")

# Commands whose `{ }` contains commands without `do=`, `else=` or `on-error=` before it.
_BLOCK_ARGUMENTS = {"onerror": ("in",), "do": ("command",), "retry": ("command",), "time": ("command",)}


_HEAD = re.compile(r"[:/]?([a-z-]+)")


class MeasuredParser(_Parser):
    """The parser of routeros-lsp with the rules that were measured since.

    Expressions group otherwise; a brace inside an array is an array; a string may contain
    `$"quoted name"`; a closing brace without an opening one ends the script.
    """

    def __init__(self, text: str, *, ends_at_stray_brace: bool) -> None:
        super().__init__(text)
        self.ignored: list[RuleFinding] = []
        self._ends_at_stray_brace = ends_at_stray_brace
        self._member_start = -1  # where an array member starts that is being parsed
        self._blocks: tuple[str, ...] = ()  # the arguments of the current command whose braces contain commands
        self._statement_depth = 0
        self._argument = ""  # the argument whose value is being parsed

    def parse_statement(self, role: str) -> Statement:
        """Return one statement; an array member such as `::1/0` is a word, not a command."""
        start = self.pos
        if role == "unknown" and self.text.startswith("::", start):
            end = _NO_WORD.search(self.text, start)
            self.pos = end.start() if end else len(self.text)
            word = Word(start=start, end=self.pos, text=self.text[start : self.pos])
            return Statement(start=start, end=self.pos, prefix=None, elements=[word])
        before = self._member_start, self._blocks, self._statement_depth
        head = _HEAD.match(self.text, start)
        self._member_start = start if role == "unknown" else -1
        self._blocks = _BLOCK_ARGUMENTS.get(head[1], ()) if head else ()
        self._statement_depth = self.depth
        statement = super().parse_statement(role)
        self._member_start, self._blocks, self._statement_depth = before
        return statement

    def parse_brace(self, role: str) -> Brace:
        """Return a brace: a member of an array is an array; an argument of `:time` contains commands."""
        if self.pos == self._member_start:
            return super().parse_brace("unknown")
        is_block = bool(self._blocks) and self.depth == self._statement_depth and self._argument == ""
        return super().parse_brace("block" if is_block else role)

    def finish_named(self, name: Word | StringLit) -> Named:
        """Return `name=value`."""
        self._argument = name.text if isinstance(name, Word) else name.value
        named = super().finish_named(name)
        self._argument = ""
        return named

    def parse_operand(self, brace_role: str) -> Element | None:
        """Return a value; `{ }` contains commands if the argument runs them, as `in=` of `:onerror` does."""
        is_block = self._argument in self._blocks and self.depth == self._statement_depth
        return super().parse_operand("block" if is_block else brace_role)

    def parse_interpolation(self, parts: list[StringPart]) -> None:
        """Read a substitution in a string: also `$"quoted name"`."""
        if not self.text.startswith('$"', self.pos):
            super().parse_interpolation(parts)
            return
        start = self.pos
        variable = self.parse_variable()
        assert isinstance(variable, Variable)
        parts.append(VariablePart(start=start, end=self.pos, name=variable.name))

    def stray_closer(self, c: str) -> None:
        """Handle a closing bracket without an opening one; RouterOS 7.22.1 ignores the script from a `}` on."""
        if c != "}" or not self._ends_at_stray_brace:
            super().stray_closer(c)
            return
        message = "RouterOS ignores the script from this '}' on."
        self.ignored.append(RuleFinding("emulator/ignored-rest", message, self.pos, self.pos + 1))
        self.pos = len(self.text)

    def parse_expr(self, min_prec: int) -> Expr:
        """Return the expression whose operators bind at least as tightly as `min_prec`."""
        left = self.parse_unary()
        while True:
            self.skip_expr_space()
            operator = self.peek_binary()
            if operator is None or operator[2] < min_prec:
                return left
            text, length, precedence = operator
            start = self.pos
            self.pos += length
            right = self.parse_operand_after(text, start, precedence + (text not in RIGHT_ASSOCIATIVE))
            end = max(right.end, start + length)
            left = Binary(start=left.start, end=end, op=text, op_start=start, left=left, right=right)

    def parse_unary(self) -> Expr:
        """Return an operand with its unary operators: `-`, `!`, `~`, `>` and `any`."""
        self.skip_expr_space()
        start = self.pos
        any_word = _ANY.match(self.text, start)
        operator = any_word.group() if any_word else self.peek()
        if operator not in {"-", "!", "~", ">", "any"}:
            return self.parse_primary()
        self.pos += len(operator)
        operand = self.parse_operand_after(operator, start, _UNARY_BINDS_TIGHTEST)
        if isinstance(operand, Missing):
            self.report("syntax/expected-operand", f"Expected a value after '{operator}'.", start, start + 1)
        return Unary(start=start, end=max(operand.end, self.pos), op=operator, operand=operand)

    def peek_binary(self) -> tuple[str, int, int] | None:
        """Return the binary operator at the cursor: its text, its length, its precedence."""
        match = _WORD_OPERATOR.match(self.text, self.pos) or _SYMBOL.match(self.text, self.pos)
        if match is None:
            return None
        operator = match.group()
        if self.text.startswith("<>", self.pos):
            message = "RouterOS has no operator '<>'. Write '!='."
            self.report("syntax/expected-operand", message, self.pos, self.pos + 2)
        return operator, len(operator), PRECEDENCE[operator]


def _mark_blocks(statement: Statement) -> None:
    head = statement.elements[0] if statement.elements else None
    if not isinstance(head, Word) or statement.prefix == "/":
        return
    names = _BLOCK_ARGUMENTS.get(head.text, ())
    for element in statement.elements[1:]:
        if isinstance(element, Named):
            named = isinstance(element.name, Word) and element.name.text in names
            brace = element.value if named else None
        else:
            brace = element if names else None
        if isinstance(brace, Brace):
            brace.role = "block"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree, the errors that RouterOS would report, and the text that it ignores."""

    script: Script
    diagnostics: list[SyntaxDiagnostic]
    ignored: tuple[RuleFinding, ...]


def parse(text: str, *, ends_at_stray_brace: bool = False) -> Parsed:
    """Return the syntax tree and what is wrong in it."""
    parser = MeasuredParser(text, ends_at_stray_brace=ends_at_stray_brace)
    result = parser.run()
    return Parsed(result.script, result.diagnostics, tuple(parser.ignored))
