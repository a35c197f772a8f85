"""The condition after `where` and `find`: a flat list in the syntax tree, an expression over an item's properties here.

Adjacent conditions must all be true (`where name="x" disabled=no`). The left side of an operator is a property, the
right side a value; a single word is a property that must be true. A property that an item does not have is nothing.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from routeros_lsp.syntax.ast import Binary, Element, Expr, Group, Named, Operator, Unary, Variable, Word

from lab.routeros.language.compare import contained, equal, matches, ordered
from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.values import Nil, Nothing, Value

Properties = Mapping[str, Value]
Test = Callable[[Properties], bool]

_WORD = re.compile(r"(!*)([A-Za-z.][A-Za-z0-9.-]*)(<|>|~)?(.*)", re.DOTALL)
_PROPERTY = re.compile(r"[A-Za-z.][A-Za-z0-9.-]*")
_OPERATORS = frozenset({"=", "!=", "<", ">", "<=", ">=", "~", "in"})
_CONNECTIVES = {"and": "and", "&&": "and", "or": "or", "||": "or"}


@dataclass(frozen=True, slots=True)
class _Token:
    """A connective or a complete test."""

    connective: str = ""
    test: Test | None = None


class SeenProperties(Mapping[str, Value]):
    """The properties of an item, for a condition. A known name may be absent; an unknown name stops the emulator."""

    def __init__(self, path: str, names: frozenset[str], properties: Mapping[str, Value]) -> None:
        self._path = path
        self._names = names
        self._properties = properties

    def __getitem__(self, name: str) -> Value:
        if name not in self._names:
            raise NotImplementedInEmulator(f"the property {name} of {self._path}")
        return self._properties[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._properties)

    def __len__(self) -> int:
        return len(self._properties)


class Condition:
    """A parsed condition. `value` evaluates the right side of each comparison.

    `reserved` is the set of the menu's property names: in a condition `$name` means the property, not the variable.
    """

    def __init__(
        self,
        elements: tuple[Element, ...],
        value: Callable[[Element | Expr], Value],
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        self._value = value
        self._reserved = reserved
        self._rest = list(elements)
        self._test = self._alternatives()
        if self._rest:
            raise NotImplementedInEmulator("this condition after where")

    def holds(self, properties: Properties) -> bool:
        """Return whether the condition is true for an item with these properties."""
        return self._test(properties)

    def _connective(self) -> str:
        head = self._rest[0] if self._rest else None
        return _CONNECTIVES.get(head.text, "") if isinstance(head, Word) else ""

    def _alternatives(self) -> Test:
        tests = [self._conjunction()]
        while self._connective() == "or":
            self._rest.pop(0)
            tests.append(self._conjunction())
        return lambda properties: any([test(properties) for test in tests])  # noqa: C419 - every side is evaluated

    def _conjunction(self) -> Test:
        tests = [self._comparison()]
        while self._rest and self._connective() != "or":
            if self._connective() == "and":
                self._rest.pop(0)
            tests.append(self._comparison())
        return lambda properties: all([test(properties) for test in tests])  # noqa: C419 - every side is evaluated

    def _comparison(self) -> Test:
        if not self._rest:
            raise NotImplementedInEmulator("a condition that ends in an operator")
        head = self._rest.pop(0)
        if isinstance(head, Group) and len(head.exprs) == 1:
            return self._group(head.exprs[0])
        if isinstance(head, Named):
            name = head.name.text if isinstance(head.name, Word) else head.name.value
            if name.endswith(("!", "<", ">")):
                return self._compare(name[:-1], name[-1] + "=", head.value)
            if not name.endswith("~"):
                return self._compare(name, "=", head.value)
        if isinstance(head, Word) and self._connective_of(head) == "":
            return self._from_word(head)
        raise NotImplementedInEmulator("a condition of this form after where")

    def _group(self, expr: Expr) -> Test:
        test = self._nested(expr)
        if not self._operator_next():
            return test
        operator = self._rest.pop(0)
        wanted = self._rest.pop(0) if self._rest else None
        if not isinstance(operator, Operator) or not isinstance(wanted, Word) or wanted.text not in {"true", "false"}:
            raise NotImplementedInEmulator("this operator after ( ) after where")
        return lambda properties: test(properties) == (wanted.text == "true")

    @staticmethod
    def _connective_of(word: Word) -> str:
        return _CONNECTIVES.get(word.text, "")

    def _operator_next(self) -> bool:
        head = self._rest[0] if self._rest else None
        if isinstance(head, Operator):
            return True
        return isinstance(head, Word) and re.match(r"(<|>|~|!=|in$)", head.text) is not None

    def _from_word(self, head: Word) -> Test:
        match = _WORD.fullmatch(head.text)
        if match is None:
            raise NotImplementedInEmulator(f"{head.text} after where")
        negations, name, operator, right = match.groups()
        if operator is None and right == "":
            if self._operator_next():
                raise NotImplementedInEmulator("an operator with spaces around it after where")
            wanted = len(negations) % 2 == 0
            return lambda properties: self._flag(properties, name) == wanted
        if negations or operator is None:
            raise NotImplementedInEmulator(f"{head.text} after where")
        if right:
            start = head.end - len(right)
            return self._compare(name, operator, Word(start=start, end=head.end, text=right))
        if not self._rest or self._rest[0].start != head.end:
            raise NotImplementedInEmulator(f"{head.text} without a value after where")
        return self._compare(name, operator, self._rest.pop(0))

    @staticmethod
    def _flag(properties: Properties, name: str) -> bool:
        value = properties.get(name, Nothing())
        if isinstance(value, Nothing):
            return False
        if not isinstance(value, bool):
            raise NotImplementedInEmulator(f"the property {name} alone after where: it is not a bool")
        return value

    def _nested(self, expr: Expr) -> Test:
        match expr:
            case Binary(op="and" | "&&"):
                left, right = self._nested(expr.left), self._nested(expr.right)
                return lambda properties: all([left(properties), right(properties)])
            case Binary(op="or" | "||"):
                left, right = self._nested(expr.left), self._nested(expr.right)
                return lambda properties: any([left(properties), right(properties)])
            case Unary(op="!"):
                inner = self._nested(expr.operand)
                return lambda properties: not inner(properties)
            case Group(exprs=[only]):
                return self._nested(only)
            case Binary(op=operator, left=Word(text=name)) if operator in _OPERATORS:
                return self._compare(name, operator, expr.right)
            case Word(text=name):
                return lambda properties: self._flag(properties, name)
            case _:
                raise NotImplementedInEmulator("an expression of this form after where")

    def _compare(self, name: str, operator: str, right: Element | Expr | None) -> Test:
        if not _PROPERTY.fullmatch(name):
            raise NotImplementedInEmulator(f"{name}{operator} after where")
        if isinstance(right, Word) and re.search(r"[<>~|&!]", right.text):
            raise NotImplementedInEmulator(f"the unquoted value {right.text} after where")

        def test(properties: Properties) -> bool:
            if isinstance(right, Variable) and (right.name in self._reserved or right.name in properties):
                raise NotImplementedInEmulator(f"where {name}{operator}${right.name}: it is also a property's name")
            wanted = "" if right is None else self._value(right)
            return _holds(properties.get(name, Nothing()), operator, wanted)

        return test


def _holds(value: Value, operator: str, wanted: Value) -> bool:
    if isinstance(wanted, Nil):
        raise NotImplementedInEmulator("comparing a property with nil")
    if isinstance(value, Nothing) and not isinstance(wanted, Nothing):
        if wanted == "":
            raise NotImplementedInEmulator("comparing an absent property with an empty string")
        return operator == "!="
    match operator:
        case "=":
            return equal(value, wanted)
        case "!=":
            return not equal(value, wanted)
        case "~":
            return matches(value, wanted)
        case "in":
            return contained(value, wanted)
        case _:
            return ordered(operator, value, wanted)
