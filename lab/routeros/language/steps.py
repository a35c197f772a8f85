"""The frequent commands, made into functions once per program: `:local`, `:set`, `:if`, `:foreach`, `:return`. Pure.

They do what commands_variables.py and commands_flow.py do, for the usual form of the command; any other form is left
to those.
"""

from collections.abc import Callable, Mapping

from routeros_lsp.syntax.ast import Binary, Brace, Element, Expr, Group, Statement, Variable, Word

from lab.routeros.language.commands_flow import members, truth
from lab.routeros.language.commands_variables import with_member
from lab.routeros.language.evaluate import ReturnSignal, Run, Step
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


def _local(run: Run, arguments: Arguments) -> Step | None:
    name, value = _plain_name(arguments.get("name")), _value_of(arguments)
    if not name or value is None:
        return None
    thunk = run.thunk(value)

    def step(run: Run, scope: Scope) -> Value:
        scope.declare_local(name, thunk(run, scope))
        return NOTHING

    return step


def _set(run: Run, arguments: Arguments) -> Step | None:
    target, value = arguments.get("name"), _value_of(arguments)
    if value is None:
        return None
    thunk, name = run.thunk(value), _plain_name(target)
    if isinstance(target, Group):
        return _set_member(run, target, value)
    if not name:
        return None

    def step(run: Run, scope: Scope) -> Value:
        scope.assign(name, thunk(run, scope))
        return NOTHING

    return step


def _set_member(run: Run, target: Group, value: Element) -> Step | None:
    keys: list[Step] = []
    place: Expr | None = target.exprs[0] if len(target.exprs) == 1 else None
    while isinstance(place, Binary) and place.op == "->":
        keys.insert(0, run.operand_thunk(place.right))
        place = place.left
    if not isinstance(place, Variable) or not keys:
        return None
    name, thunk = place.name, run.thunk(value)

    def step(run: Run, scope: Scope) -> Value:
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


def _if(run: Run, arguments: Arguments) -> Step | None:
    condition, yes, no = arguments.get("condition"), _body(arguments, "do"), _body(arguments, "else")
    if condition is None or yes is None or no is None or not arguments.keys() <= {"condition", "do", "else"}:
        return None
    thunk = run.thunk(condition)

    def step(run: Run, scope: Scope) -> Value:
        body = yes if truth(thunk(run, scope)) else no
        if body:
            run.statements(body, scope.child())
        return NOTHING

    return step


def _foreach(run: Run, arguments: Arguments) -> Step | None:
    names, array, body = _plain_name(arguments.get("counter")).split(","), arguments.get("in"), _body(arguments, "do")
    if not all(names) or array is None or body is None or arguments.keys() != {"counter", "in", "do"}:
        return None
    thunk = run.thunk(array)

    def step(run: Run, scope: Scope) -> Value:
        for given in members(thunk(run, scope), len(names)):
            inner = scope.child()
            for name, value in zip(names, given, strict=True):
                inner.declare_local(name, value)
            run.statements(body, inner)
        return NOTHING

    return step


def _return(run: Run, arguments: Arguments) -> Step | None:
    value = arguments.get("value")
    if value is None or len(arguments) > 1:
        return None
    thunk = run.thunk(value)

    def step(run: Run, scope: Scope) -> Value:
        raise ReturnSignal(thunk(run, scope))

    return step


PREPARE: Mapping[str, Callable[[Run, Arguments], Step | None]] = {
    "local": _local,
    "set": _set,
    "if": _if,
    "foreach": _foreach,
    "return": _return,
}
