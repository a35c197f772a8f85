"""Parse with routeros-lsp's parser, and with the operators and precedences that were measured on RouterOS.

Source: the `operator`, `parse` and `array-member` rows of data/device-measured.json. The parser of routeros-lsp
groups by guessed precedences and has no `any`, `<%%`, unary `>` or array member that begins with `::`.
"""

import re

from routeros_lsp.syntax.ast import Binary, Brace, Expr, Missing, Named, Statement, Unary, Word
from routeros_lsp.syntax.parser import ParseResult, SyntaxDiagnostic, _Parser

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


class MeasuredParser(_Parser):
    """The parser of routeros-lsp, with other grouping of expressions; it marks each `{ }` that contains commands."""

    def parse_statement(self, role: str) -> Statement:
        """Return one statement; an array member such as `::1/0` is a word, not a command."""
        if role == "unknown" and self.text.startswith("::", self.pos):
            start = self.pos
            end = _NO_WORD.search(self.text, start)
            self.pos = end.start() if end else len(self.text)
            word = Word(start=start, end=self.pos, text=self.text[start : self.pos])
            return Statement(start=start, end=self.pos, prefix=None, elements=[word])
        statement = super().parse_statement(role)
        _mark_blocks(statement)
        return statement

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


def parse(text: str) -> ParseResult:
    """Return the syntax tree and the errors that RouterOS would report."""
    return MeasuredParser(text).run()


__all__ = ["PRECEDENCE", "ParseResult", "SyntaxDiagnostic", "parse"]
