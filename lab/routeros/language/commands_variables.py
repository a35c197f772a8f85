"""`:local`, `:global`, `:set` and `:put`.

Sources: MikroTik's manual, "Scripting", Variables; routeros-lsp's probes d1 to d38.
"""

from collections.abc import Callable, Mapping

from routeros_lsp.syntax.ast import Binary, Brace, Element, Expr, Group, StringLit, Variable, Word

from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.expressions import argument, operand_thunk
from lab.routeros.language.literals import read_num
from lab.routeros.language.operators import element as member
from lab.routeros.language.runner import NOTHING, Arguments, Body, Make, Runner, Thunk, only
from lab.routeros.language.scope import Scope
from lab.routeros.language.values import Array, Code, Nothing, Value, render, typeof


def _name(element: Element | None) -> Callable[[Runner, Scope], str]:
    """Return the function that reads a variable's name; a quoted name may contain substitutions."""
    if isinstance(element, Word):
        text = element.text
        return lambda *_: text
    if isinstance(element, StringLit):
        return lambda run, scope: run.string(element, scope)
    raise NotImplementedInEmulator("this as a variable's name")


def _given(arguments: Arguments) -> Thunk | None:
    """Return the function for the value that a declaration assigns, None if it assigns none."""
    only(arguments, "name", "value", "do")
    body = arguments.get("do")
    if isinstance(body, Brace):
        statements = tuple(body.body)
        return lambda run, _: Code(Body(statements, run.code))
    if "value" not in arguments:
        return None
    value = arguments["value"]
    if isinstance(value, Brace) and not value.body:
        raise NotImplementedInEmulator("{} as a value; write ({})")
    return argument(arguments, "value")


def _local(arguments: Arguments) -> Thunk:
    name, value = _name(arguments.get("name")), _given(arguments)

    def step(run: Runner, scope: Scope) -> Value:
        scope.declare_local(name(run, scope), NOTHING if value is None else value(run, scope))
        return NOTHING

    return step


def _global(arguments: Arguments) -> Thunk:
    name, value = _name(arguments.get("name")), _given(arguments)

    def step(run: Runner, scope: Scope) -> Value:
        scope.declare_global(name(run, scope), None if value is None else value(run, scope))
        return NOTHING

    return step


def _set(arguments: Arguments) -> Thunk:
    target, value = arguments.get("name"), _given(arguments)
    if isinstance(target, Group):
        return _set_member(target, value)
    name = _name(target)

    def step(run: Runner, scope: Scope) -> Value:
        scope.assign(name(run, scope), NOTHING if value is None else value(run, scope))
        return NOTHING

    return step


def _set_member(target: Group, value: Thunk | None) -> Thunk:
    keys: list[Thunk] = []
    place: Expr | None = target.exprs[0] if len(target.exprs) == 1 else None
    while isinstance(place, Binary) and place.op == "->":
        keys.insert(0, operand_thunk(place.right))
        place = place.left
    if not isinstance(place, Variable) or not keys:
        raise NotImplementedInEmulator(":set of this expression")
    if value is None:
        raise NotImplementedInEmulator(":set of a member without a value")
    name = place.name

    def step(run: Runner, scope: Scope) -> Value:
        given = value(run, scope)
        scope.assign(name, _with_member(scope.read(name), [key(run, scope) for key in keys], given))
        return NOTHING

    return step


def _with_member(array: Value, keys: list[Value], value: Value) -> Value:
    """Return a copy of an array in which the member at the end of these keys has another value."""
    if not isinstance(array, Array):
        raise NotImplementedInEmulator(f":set of a member of {typeof(array)}")
    key, *rest = keys
    if rest:
        value = _with_member(member(array, key), rest, value)
    if isinstance(value, Nothing):
        raise NotImplementedInEmulator(":set of a member to nothing")
    if isinstance(key, str):
        if read_num(key) is not None and key not in array.keyed:
            raise NotImplementedInEmulator(f":set of the member {key}, a key of digits")
        return Array(array.items, {**array.keyed, key: value})
    if not isinstance(key, int) or isinstance(key, bool) or not 0 <= key <= len(array.items):
        raise NotImplementedInEmulator(f":set of the member {render(key)}")
    return Array((*array.items[:key], value, *array.items[key + 1 :]), array.keyed)


def _put(arguments: Arguments) -> Thunk:
    only(arguments, "message")
    text = argument(arguments, "message")

    def step(run: Runner, scope: Scope) -> Value:
        run.world.put(render(text(run, scope)))
        return NOTHING

    return step


COMMANDS: Mapping[str, Make] = {"local": _local, "global": _global, "set": _set, "put": _put}
