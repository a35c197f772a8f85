"""The frequent commands, made into functions once per program: `:local`, `:set`, `:if`, `:foreach`, `:return`. Pure.

They do what commands_variables.py and commands_flow.py do, for the usual form of the command; any other form is left
to those.
"""

from collections.abc import Callable, Mapping

from routeros_lsp.syntax.ast import Binary, Brace, Element, Expr, Group, Statement, Variable, Word

from lab.routeros.language.commands_flow import members, truth
from lab.routeros.language.commands_variables import with_member
from lab.routeros.language.expressions import operand_thunk, value_thunk
from lab.routeros.language.runner import ReturnSignal, Runner, Thunk
from lab.routeros.language.scope import Scope
from lab.routeros.language.values import Nothing, Value

NOTHING = Nothing()
Arguments = Mapping[str, Element | None]


def _plain_name(element: Element | None) -> str:
    return element.text if isinstance(element, Word) else ""


def _value_of(arguments: Arguments) -> Element | None:
    """Return the value of `:local` or `:set`; None if it is a function, or what the emulator refuses."""
    value = arguments.get("value")
    if arguments.keys() != {"name", "value"} or (isinstance(value, Brace) and not value.body):
        return None
    return value


def _local(arguments: Arguments) -> Thunk | None:
    name, value = _plain_name(arguments.get("name")), _value_of(arguments)
    if not name or value is None:
        return None
    thunk = value_thunk(value)

    def step(run: Runner, scope: Scope) -> Value:
        scope.declare_local(name, thunk(run, scope))
        return NOTHING

    return step


def _set(arguments: Arguments) -> Thunk | None:
    target, value = arguments.get("name"), _value_of(arguments)
    if value is None:
        return None
    thunk, name = value_thunk(value), _plain_name(target)
    if isinstance(target, Group):
        return _set_member(target, value)
    if not name:
        return None

    def step(run: Runner, scope: Scope) -> Value:
        scope.assign(name, thunk(run, scope))
        return NOTHING

    return step


def _set_member(target: Group, value: Element) -> Thunk | None:
    keys: list[Thunk] = []
    place: Expr | None = target.exprs[0] if len(target.exprs) == 1 else None
    while isinstance(place, Binary) and place.op == "->":
        keys.insert(0, operand_thunk(place.right))
        place = place.left
    if not isinstance(place, Variable) or not keys:
        return None
    name, thunk = place.name, value_thunk(value)

    def step(run: Runner, scope: Scope) -> Value:
        given = thunk(run, scope)
        scope.assign(name, with_member(scope.read(name), [key(run, scope) for key in keys], given))
        return NOTHING

    return step


def _body(arguments: Arguments, name: str) -> tuple[Statement, ...] | None:
    """Return the statements of a block, none for a block that is not there; None if it is no block."""
    element = arguments.get(name)
    if element is None:
        return ()
    return tuple(element.body) if isinstance(element, Brace) else None


def _if(arguments: Arguments) -> Thunk | None:
    condition, yes, no = arguments.get("condition"), _body(arguments, "do"), _body(arguments, "else")
    if condition is None or yes is None or no is None or not arguments.keys() <= {"condition", "do", "else"}:
        return None
    thunk = value_thunk(condition)

    def step(run: Runner, scope: Scope) -> Value:
        body = yes if truth(thunk(run, scope)) else no
        if body:
            run.statements(body, scope.child())
        return NOTHING

    return step


def _foreach(arguments: Arguments) -> Thunk | None:
    names, array, body = _plain_name(arguments.get("counter")).split(","), arguments.get("in"), _body(arguments, "do")
    if not all(names) or array is None or body is None or arguments.keys() != {"counter", "in", "do"}:
        return None
    thunk = value_thunk(array)

    def step(run: Runner, scope: Scope) -> Value:
        for given in members(thunk(run, scope), len(names)):
            inner = scope.child()
            for name, value in zip(names, given, strict=True):
                inner.declare_local(name, value)
            run.statements(body, inner)
        return NOTHING

    return step


def _return(arguments: Arguments) -> Thunk | None:
    value = arguments.get("value")
    if value is None or len(arguments) > 1:
        return None
    thunk = value_thunk(value)

    def step(run: Runner, scope: Scope) -> Value:
        raise ReturnSignal(thunk(run, scope))

    return step


PREPARE: Mapping[str, Callable[[Arguments], Thunk | None]] = {
    "local": _local,
    "set": _set,
    "if": _if,
    "foreach": _foreach,
    "return": _return,
}
