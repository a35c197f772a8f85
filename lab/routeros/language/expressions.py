"""Turn arguments, operands, strings and arrays into functions that compute their values."""

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
from lab.routeros.language.runner import NOTHING, Arguments, Body, Runner, Thunk
from lab.routeros.language.scope import Scope
from lab.routeros.language.values import Array, Nothing, Op, Value, render, typeof


def value_thunk(element: Element | Expr) -> Thunk:
    """Return the function for an argument; an unquoted word is a literal, or else a string."""
    if isinstance(element, Word):
        literal = read_literal(element.text)
        return lambda *_: literal
    return _no_word_thunk(element)


def argument(arguments: Arguments, name: str) -> Thunk:
    """Return the function for an argument of a command; it gives nothing if the argument is not given."""
    element = arguments.get(name)
    return (lambda *_: NOTHING) if element is None else value_thunk(element)


def _no_word_thunk(element: Element | Expr) -> Thunk:
    match element:
        case Variable(name=name):
            return lambda _, scope: scope.read(name)
        case StringLit(parts=parts):
            return _string_thunk([_part_thunk(part) for part in parts])
        case Subst():
            return lambda run, scope: run.substitution(element, scope)
        case Group(exprs=[only]):
            return operand_thunk(only)
        case Brace(role="unknown"):
            return lambda run, scope: _array(run, element, scope)
        case _:
            return lambda run, _: _unknown_form(run, element)


def operand_thunk(expr: Expr) -> Thunk:
    """Return the function for an expression in round brackets."""
    match expr:
        case Word(text=text):
            return lambda *_: _number_or_other_literal(text)
        case Binary(op="<%%"):
            return lambda run, scope: _apply(run, expr, scope)
        case Binary(op=operator):
            return _binary_thunk(operator, operand_thunk(expr.left), operand_thunk(expr.right))
        case Unary(op=">"):
            return lambda run, scope: _unevaluated(run, expr, scope)
        case Unary(op=operator):
            operand = operand_thunk(expr.operand)
            return lambda run, scope: operators.unary(operator, operand(run, scope))
        case _:
            return value_thunk(expr)


def _source(run: Runner, node: Element | Expr) -> str:
    return run.code.program.text[node.start : node.end][:80]


def _unknown_form(run: Runner, element: Element | Expr) -> Value:
    raise NotImplementedInEmulator(f"a value of this form: {_source(run, element)}")


def _unevaluated(run: Runner, expr: Unary, scope: Scope) -> Value:
    if isinstance(expr.operand, Subst):
        return Op(Body(tuple(expr.operand.body), run.code))
    if isinstance(expr.operand, Brace):
        return _array(run, expr.operand, scope)
    raise NotImplementedInEmulator(f"the operator > of {_source(run, expr.operand)}")


def _apply(run: Runner, expr: Binary, scope: Scope) -> Value:
    function, arguments = run.operand(expr.left, scope), run.operand(expr.right, scope)
    if not isinstance(function, Op) or not isinstance(arguments, Array):
        raise NotImplementedInEmulator(f"{typeof(function)} <%% {typeof(arguments)}")
    locals_ = {str(index): item for index, item in enumerate(arguments.items)}
    return run.call(function, locals_ | dict(arguments.keyed), scope)


def _array(run: Runner, brace: Brace, scope: Scope) -> Array:
    items: list[Value] = []
    keyed: dict[str, Value] = {}
    for statement in brace.body:
        member = statement.elements[0] if len(statement.elements) == 1 and statement.prefix is None else None
        if isinstance(member, Named) and member.value is not None:
            name = member.name
            key = name.text if isinstance(name, Word) else run.string(name, scope)
            keyed[key] = _member(run, member.value, scope)
        elif member is not None:
            items.append(_member(run, member, scope))
        else:
            raise NotImplementedInEmulator(f"an array with this member: {_source(run, brace)}")
    return Array(tuple(items), keyed)


def _member(run: Runner, element: Element, scope: Scope) -> Value:
    value = run.value(element, scope)
    if isinstance(element, Word) and isinstance(value, str):
        if "," in value:
            raise NotImplementedInEmulator(f"the array member {value}")
        return Nothing()
    return value


def _number_or_other_literal(text: str) -> Value:
    value = read_literal(text)
    if isinstance(value, str):
        raise NotImplementedInEmulator(f"the word {text} in an expression")
    return value


def _binary_thunk(operator: str, left: Thunk, right: Thunk) -> Thunk:
    work = operators.function(operator)

    def thunk(run: Runner, scope: Scope) -> Value:
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
