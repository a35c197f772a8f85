"""`:local`, `:global`, `:set` and `:put`. Pure but for what the world prints.

Sources: MikroTik's manual, "Scripting", Variables; routeros-lsp's probes d1 to d38.
"""

from collections.abc import Mapping

from routeros_lsp.syntax.ast import Binary, Brace, Expr, Group, StringLit, Variable, Word

from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.literals import read_num
from lab.routeros.language.operators import element as member
from lab.routeros.language.runner import Body, Command, Frame
from lab.routeros.language.values import Array, Code, Nothing, Value, render, typeof


def _name(frame: Frame) -> str:
    element = frame.arguments.get("name")
    if isinstance(element, Word):
        return element.text
    if isinstance(element, StringLit):
        return frame.run.string(element, frame.scope)
    raise NotImplementedInEmulator("this as a variable's name")


def _given(frame: Frame) -> Value | None:
    body = frame.arguments.get("do")
    if isinstance(body, Brace):
        return Code(Body(tuple(body.body), frame.run.code))
    value = frame.arguments.get("value")
    if isinstance(value, Brace) and not value.body:
        raise NotImplementedInEmulator("{} as a value; write ({})")
    return frame.value("value") if "value" in frame.arguments else None


def _local(frame: Frame) -> Value:
    frame.only("name", "value", "do")
    value = _given(frame)
    frame.scope.declare_local(_name(frame), Nothing() if value is None else value)
    return Nothing()


def _global(frame: Frame) -> Value:
    frame.only("name", "value", "do")
    value = _given(frame)
    frame.scope.declare_global(_name(frame), value)
    return Nothing()


def _set(frame: Frame) -> Value:
    frame.only("name", "value", "do")
    target = frame.arguments.get("name")
    value = _given(frame)
    if isinstance(target, Group):
        if value is None:
            raise NotImplementedInEmulator(":set of a member without a value")
        _set_member(frame, target, value)
    else:
        frame.scope.assign(_name(frame), Nothing() if value is None else value)
    return Nothing()


def _set_member(frame: Frame, target: Group, value: Value) -> None:
    keys: list[Value] = []
    place: Expr | None = target.exprs[0] if len(target.exprs) == 1 else None
    while isinstance(place, Binary) and place.op == "->":
        keys.insert(0, frame.run.operand(place.right, frame.scope))
        place = place.left
    if not isinstance(place, Variable) or not keys:
        raise NotImplementedInEmulator(":set of this expression")
    frame.scope.assign(place.name, with_member(frame.scope.read(place.name), keys, value))


def with_member(array: Value, keys: list[Value], value: Value) -> Value:
    """Return an array in which the member at the end of these keys is another."""
    if not isinstance(array, Array):
        raise NotImplementedInEmulator(f":set of a member of {typeof(array)}")
    key, *rest = keys
    if rest:
        value = with_member(member(array, key), rest, value)
    if isinstance(value, Nothing):
        raise NotImplementedInEmulator(":set of a member to nothing")
    if isinstance(key, str):
        if read_num(key) is not None and key not in array.keyed:
            raise NotImplementedInEmulator(f":set of the member {key}, a key of digits")
        return Array(array.items, {**array.keyed, key: value})
    if not isinstance(key, int) or isinstance(key, bool) or not 0 <= key <= len(array.items):
        raise NotImplementedInEmulator(f":set of the member {render(key)}")
    return Array((*array.items[:key], value, *array.items[key + 1 :]), array.keyed)


def _put(frame: Frame) -> Value:
    frame.only("message")
    frame.run.world.put(render(frame.value("message")))
    return Nothing()


COMMANDS: Mapping[str, Command] = {"local": _local, "global": _global, "set": _set, "put": _put}
