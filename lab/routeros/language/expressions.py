"""The values of arguments, operands, strings and arrays. Pure.

An expression is made into functions once, when it is first met, and those are kept with the program: a handler is the
same text for every message, and a walk over its tree would be most of the work.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from routeros_lsp.syntax.ast import (
    Binary,
    Brace,
    CommandPart,
    Element,
    EscapePart,
    Expr,
    ExpressionPart,
    Group,
    Named,
    Statement,
    StringLit,
    StringPart,
    Subst,
    TextPart,
    Unary,
    Variable,
    Word,
)

from lab.routeros.language import operators
from lab.routeros.language.errors import NotImplementedInEmulator, UndecidedError
from lab.routeros.language.literals import read_literal
from lab.routeros.language.scope import Scope
from lab.routeros.language.syntax import Program
from lab.routeros.language.values import Array, Code, Nothing, Op, Value, render, typeof


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Statements with the program they were written in: what `Code` and `Op` hold."""

    statements: tuple[Statement, ...]
    program: Program


Thunk = Callable[["Expressions", Scope], Value]  # gives a value each time it is asked


@dataclass(frozen=True, slots=True)
class Expressions(ABC):
    """Evaluates what stands in a program. What runs commands is left to the subclass."""

    program: Program

    @abstractmethod
    def substitution(self, subst: Subst, scope: Scope) -> Value:
        """Return what `[command]` gives."""

    @abstractmethod
    def call(self, function: Code | Op, locals_: Mapping[str, Value], scope: Scope) -> Value:
        """Return what a function gives that sees these variables only."""

    @abstractmethod
    def decide(self, error: UndecidedError) -> Value:
        """Return the guess, or raise."""

    def value(self, element: Element | Expr, scope: Scope) -> Value:
        """Return the value of an argument or operand; an unquoted word is a literal, or else a string."""
        if isinstance(element, Word):
            return read_literal(element.text)
        thunk = self.program.values.get(element)
        if thunk is None:
            thunk = self.program.values[element] = self.value_thunk(element)
        return thunk(self, scope)

    def thunk(self, element: Element | Expr) -> Thunk:
        """Return what gives the value of an argument."""
        if isinstance(element, Word):
            literal = read_literal(element.text)
            return lambda *_: literal
        return self.value_thunk(element)

    def operand(self, expr: Expr, scope: Scope) -> Value:
        """Return the value of what stands in round brackets."""
        thunk = self.program.operands.get(expr)
        if thunk is None:
            thunk = self.program.operands[expr] = self.operand_thunk(expr)
        return thunk(self, scope)

    def string(self, literal: StringLit, scope: Scope) -> str:
        """Return a quoted string with its substitutions made."""
        return render(self.value(literal, scope))

    def _source(self, node: Element | Expr) -> str:
        return self.program.text[node.start : node.end][:80]

    def value_thunk(self, element: Element | Expr) -> Thunk:
        """Return what gives the value of anything but a word."""
        match element:
            case Variable(name=name):
                return lambda _, scope: scope.read(name)
            case StringLit(parts=parts):
                return _string_thunk([_part_thunk(part) for part in parts])
            case Subst():
                return lambda run, scope: run.substitution(element, scope)
            case Group(exprs=[only]):
                return self.operand_thunk(only)
            case Brace(role="unknown"):
                return lambda run, scope: run._array(element, scope)  # noqa: SLF001 - of this class
            case _:
                raise NotImplementedInEmulator(f"a value of this form: {self._source(element)}")

    def operand_thunk(self, expr: Expr) -> Thunk:
        """Return what gives the value of what stands in round brackets."""
        match expr:
            case Word(text=text):
                return lambda *_: _number_or_so(text)
            case Binary(op="<%%"):
                return lambda run, scope: run._apply(expr, scope)  # noqa: SLF001 - of this class
            case Binary(op=operator):
                return _binary_thunk(operator, self.operand_thunk(expr.left), self.operand_thunk(expr.right))
            case Unary(op=">"):
                return lambda run, scope: run._quoted(expr, scope)  # noqa: SLF001 - of this class
            case Unary(op=operator):
                operand = self.operand_thunk(expr.operand)
                return lambda run, scope: operators.unary(operator, operand(run, scope))
            case _:
                return self.value_thunk(expr)

    def _quoted(self, expr: Unary, scope: Scope) -> Value:
        if isinstance(expr.operand, Subst):
            return Op(Body(tuple(expr.operand.body), self.program))
        if isinstance(expr.operand, Brace):
            return self._array(expr.operand, scope)
        raise NotImplementedInEmulator(f"the operator > of {self._source(expr.operand)}")

    def _apply(self, expr: Binary, scope: Scope) -> Value:
        function, arguments = self.operand(expr.left, scope), self.operand(expr.right, scope)
        if not isinstance(function, Op) or not isinstance(arguments, Array):
            raise NotImplementedInEmulator(f"{typeof(function)} <%% {typeof(arguments)}")
        locals_ = {str(index): item for index, item in enumerate(arguments.items)}
        return self.call(function, locals_ | dict(arguments.keyed), scope)

    def _array(self, brace: Brace, scope: Scope) -> Array:
        items: list[Value] = []
        keyed: dict[str, Value] = {}
        for statement in brace.body:
            member = statement.elements[0] if len(statement.elements) == 1 and statement.prefix is None else None
            if isinstance(member, Named) and member.value is not None:
                name = member.name
                key = name.text if isinstance(name, Word) else self.string(name, scope)
                keyed[key] = self._member(member.value, scope)
            elif member is not None:
                items.append(self._member(member, scope))
            else:
                raise NotImplementedInEmulator(f"an array with this member: {self._source(brace)}")
        return Array(tuple(items), keyed)

    def _member(self, element: Element, scope: Scope) -> Value:
        value = self.value(element, scope)
        if isinstance(element, Word) and isinstance(value, str):
            if "," in value:
                raise NotImplementedInEmulator(f"the array member {value}")
            return Nothing()
        return value


def _number_or_so(text: str) -> Value:
    value = read_literal(text)
    if isinstance(value, str):
        raise NotImplementedInEmulator(f"the word {text} in an expression")
    return value


def _binary_thunk(operator: str, left: Thunk, right: Thunk) -> Thunk:
    work = operators.function(operator)

    def thunk(run: Expressions, scope: Scope) -> Value:
        try:
            return work(left(run, scope), right(run, scope))
        except UndecidedError as error:
            return run.decide(error)

    return thunk


def _part_thunk(part: StringPart) -> str | Thunk:
    match part:
        case TextPart(text=text) | EscapePart(text=text):
            return text
        case CommandPart(subst=subst):
            return lambda run, scope: run.substitution(subst, scope)
        case ExpressionPart(group=group):
            return lambda run, scope: run.value(group, scope)
        case _:
            name = part.name
            return lambda _, scope: scope.read(name)


def _string_thunk(parts: list[str | Thunk]) -> Thunk:
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        whole = "".join(texts)
        return lambda *_: whole
    return lambda run, scope: "".join(part if isinstance(part, str) else render(part(run, scope)) for part in parts)
