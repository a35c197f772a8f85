"""The values of arguments, operands, strings and arrays. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
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
    Subst,
    TextPart,
    Unary,
    Variable,
    Word,
)

from lab.routeros import operators
from lab.routeros.errors import NotImplementedInEmulator
from lab.routeros.literals import read_literal
from lab.routeros.scope import Scope
from lab.routeros.syntax import Program
from lab.routeros.values import Array, Code, Nothing, Op, Value, render, typeof


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Statements with the program they were written in: what `Code` and `Op` hold."""

    statements: tuple[Statement, ...]
    program: Program


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

    def value(self, element: Element | Expr, scope: Scope) -> Value:
        """Return the value of an argument or operand; an unquoted word is a literal, or else a string."""
        match element:
            case Word(text=text):
                return read_literal(text)
            case StringLit():
                return self.string(element, scope)
            case Variable(name=name):
                return scope.read(name)
            case Subst():
                return self.substitution(element, scope)
            case Group(exprs=[only]):
                return self._expression(only, scope)
            case Brace(role="unknown"):
                return self._array(element, scope)
            case _:
                raise NotImplementedInEmulator(f"a value of this form: {self._source(element)}")

    def _source(self, node: Element | Expr) -> str:
        return self.program.text[node.start : node.end][:80]

    def _expression(self, expr: Expr, scope: Scope) -> Value:
        match expr:
            case Word(text=text):
                value = read_literal(text)
                if isinstance(value, str):
                    raise NotImplementedInEmulator(f"the word {text} in an expression")
                return value
            case Binary(op="<%%"):
                return self._apply(expr, scope)
            case Binary():
                left = self._expression(expr.left, scope)
                return operators.binary(expr.op, left, self._expression(expr.right, scope))
            case Unary(op=">"):
                return self._quoted(expr, scope)
            case Unary():
                return operators.unary(expr.op, self._expression(expr.operand, scope))
            case _:
                return self.value(expr, scope)

    def _quoted(self, expr: Unary, scope: Scope) -> Value:
        if isinstance(expr.operand, Subst):
            return Op(Body(tuple(expr.operand.body), self.program))
        if isinstance(expr.operand, Brace):
            return self._array(expr.operand, scope)
        raise NotImplementedInEmulator(f"the operator > of {self._source(expr.operand)}")

    def _apply(self, expr: Binary, scope: Scope) -> Value:
        function, arguments = self._expression(expr.left, scope), self._expression(expr.right, scope)
        if not isinstance(function, Op) or not isinstance(arguments, Array):
            raise NotImplementedInEmulator(f"{typeof(function)} <%% {typeof(arguments)}")
        locals_ = {str(index): item for index, item in enumerate(arguments.items)}
        return self.call(function, locals_ | dict(arguments.keyed), scope)

    def string(self, literal: StringLit, scope: Scope) -> str:
        """Return a quoted string with its substitutions made."""
        parts = []
        for part in literal.parts:
            match part:
                case TextPart(text=text) | EscapePart(text=text):
                    parts.append(text)
                case CommandPart(subst=subst):
                    parts.append(render(self.substitution(subst, scope)))
                case ExpressionPart(group=group):
                    parts.append(render(self.value(group, scope)))
                case _:
                    parts.append(render(scope.read(part.name)))
        return "".join(parts)

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
