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
from lab.routeros.errors import NotImplementedInEmulator, UndecidedError
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

    @abstractmethod
    def decide(self, error: UndecidedError) -> Value:
        """Return the guess, or raise."""

    def value(self, element: Element | Expr, scope: Scope) -> Value:
        """Return the value of an argument or operand; an unquoted word is a literal, or else a string."""
        # Tests of a type by hand, the frequent ones first: this is where a script spends its time.
        if isinstance(element, Variable):
            return scope.read(element.name)
        if isinstance(element, StringLit):
            return self.string(element, scope)
        if isinstance(element, Word):
            return read_literal(element.text)
        if isinstance(element, Subst):
            return self.substitution(element, scope)
        if isinstance(element, Group) and len(element.exprs) == 1:
            return self._expression(element.exprs[0], scope)
        if isinstance(element, Brace) and element.role == "unknown":
            return self._array(element, scope)
        raise NotImplementedInEmulator(f"a value of this form: {self._source(element)}")

    def _source(self, node: Element | Expr) -> str:
        return self.program.text[node.start : node.end][:80]

    def _expression(self, expr: Expr, scope: Scope) -> Value:
        if isinstance(expr, Binary):
            return self._binary(expr, scope)
        if isinstance(expr, Word):
            value = read_literal(expr.text)
            if isinstance(value, str):
                raise NotImplementedInEmulator(f"the word {expr.text} in an expression")
            return value
        if isinstance(expr, Unary):
            if expr.op == ">":
                return self._quoted(expr, scope)
            return operators.unary(expr.op, self._expression(expr.operand, scope))
        return self.value(expr, scope)

    def _binary(self, expr: Binary, scope: Scope) -> Value:
        if expr.op == "<%%":
            return self._apply(expr, scope)
        left = self._expression(expr.left, scope)
        right = self._expression(expr.right, scope)
        try:
            return operators.binary(expr.op, left, right)
        except UndecidedError as error:
            return self.decide(error)

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
        if len(literal.parts) == 1 and isinstance(literal.parts[0], TextPart):
            return literal.parts[0].text
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
