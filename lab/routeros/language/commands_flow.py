"""Control flow: `:if`, the loops, `:do`, `:onerror`, `:retry`, `:delay`, `:error`, `:return`.

Sources: MikroTik's manual, "Scripting"; tarikin's reference (a condition is a bool or a number, `:onerror` returns
whether there was an error, `[:if … do={:return x}]` returns x).
"""

from collections.abc import Mapping

from routeros_lsp.syntax.ast import Brace, Word

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, ScriptSyntaxError
from lab.routeros.language.expressions import argument
from lab.routeros.language.literals import read_num
from lab.routeros.language.runner import (
    NOTHING,
    Arguments,
    Command,
    Frame,
    Make,
    ReturnSignal,
    Runner,
    Thunk,
    body_of,
    framed,
    only,
)
from lab.routeros.language.scope import Scope
from lab.routeros.language.values import Array, Nil, Nothing, Time, Value, render, typeof

MAX_ROUNDS = 1_000_000


def _truth(run: Runner, value: Value) -> bool | None:
    """Return whether a condition is true; None for nil, which is neither.

    Raises:
        ScriptError: the condition is a string, or nil is an error.
    """
    if isinstance(value, Nil):
        if run.world.unknowns.nil_condition == "error":
            raise ScriptError("conditional not boolean")
        return False if run.world.unknowns.nil_condition == "else" else None
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in {0, 1}:
        return value == 1
    if isinstance(value, str):
        raise ScriptError("conditional not boolean")
    raise NotImplementedInEmulator(f"a condition of type {typeof(value)}")


def _if(arguments: Arguments) -> Thunk:
    only(arguments, "condition", "do", "else")
    condition, do, otherwise = (
        argument(arguments, "condition"),
        body_of(arguments, "do"),
        body_of(arguments, "else"),
    )

    def step(run: Runner, scope: Scope) -> Value:
        truth = _truth(run, condition(run, scope))
        body = do if truth else () if truth is None else otherwise
        if body:
            run.statements(body, scope.child())
        return NOTHING

    return step


def _names(arguments: Arguments, name: str) -> list[str]:
    element = arguments.get(name)
    if not isinstance(element, Word):
        raise NotImplementedInEmulator(f"{name} that is not a plain name")
    return element.text.split(",")


def _members(array: Value, names: int) -> list[tuple[Value, ...]]:
    """Return what `:foreach` assigns to one name (each member), or to two (its key or position, and the member)."""
    if isinstance(array, Nothing | Nil):
        return []
    if not isinstance(array, Array) or names > 2:
        raise NotImplementedInEmulator(f":foreach over {typeof(array)}")
    if names == 1:
        return [(member,) for member in (*array.items, *array.keyed.values())]
    return [*enumerate(array.items), *array.keyed.items()]


def _foreach(arguments: Arguments) -> Thunk:
    only(arguments, "counter", "in", "do")
    names, array, body = _names(arguments, "counter"), argument(arguments, "in"), body_of(arguments, "do")

    def step(run: Runner, scope: Scope) -> Value:
        for given in _members(array(run, scope), len(names)):
            inner = scope.child()
            for name, value in zip(names, given, strict=True):
                inner.declare_local(name, value)
            run.statements(body, inner)
        return NOTHING

    return step


def _number(frame: Frame, name: str, default: int | None = None) -> int:
    value = default if default is not None and name not in frame.arguments else frame.value(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotImplementedInEmulator(f"{name}= of type {typeof(value)}")
    return value


def _for(frame: Frame) -> Value:
    frame.only("counter", "from", "to", "step", "do")
    (name,) = _names(frame.arguments, "counter")
    first, last, step = _number(frame, "from"), _number(frame, "to"), _number(frame, "step", 1)
    if step == 0 or (last - first) * step < 0:
        raise NotImplementedInEmulator(f":for from={first} to={last} step={step}")
    if abs(last - first) > MAX_ROUNDS * abs(step):
        raise NotImplementedInEmulator(f":for of more than {MAX_ROUNDS} rounds")
    for number in range(first, last + (1 if step > 0 else -1), step):
        scope = frame.scope.child()
        scope.declare_local(name, number)
        frame.block("do", scope)
    return Nothing()


def _while(frame: Frame) -> Value:
    frame.only("condition", "do")
    for _ in range(MAX_ROUNDS):
        if not _truth(frame.run, frame.value("condition")):
            return Nothing()
        frame.block("do")
    raise NotImplementedInEmulator(f":while of more than {MAX_ROUNDS} rounds")


def _do(frame: Frame) -> Value:
    frame.only("command", "on-error", "while")
    try:
        _do_rounds(frame)
    except ScriptError as error:
        if "on-error" not in frame.arguments:
            raise
        _check_known(error)
        frame.block("on-error")
    return Nothing()


def _do_rounds(frame: Frame) -> None:
    if not isinstance(frame.arguments.get("command"), Brace):
        raise NotImplementedInEmulator(":do without a block")
    frame.block("command")
    for _ in range(MAX_ROUNDS):
        if "while" not in frame.arguments or not _truth(frame.run, frame.value("while")):
            return
        frame.block("command")
    raise NotImplementedInEmulator(f":do of more than {MAX_ROUNDS} rounds")


def _onerror(frame: Frame) -> Value:
    frame.only("error", "in", "do")
    (name,) = _names(frame.arguments, "error")
    if list(frame.arguments) != ["error", "in", "do"]:
        raise NotImplementedInEmulator(":onerror with its arguments in another order")
    try:
        frame.block("in")
    except ReturnSignal:
        return False  # `:return` leaves only the block
    except ScriptError as error:
        _check_known(error)
        scope = frame.scope.child()
        scope.declare_local(name, str(error))
        try:
            frame.block("do", scope)
        except ScriptError as second:
            return str(second)  # returned, not raised
        return True
    return False


def _check_known(error: ScriptError) -> None:
    """Stop the emulator if it is not known whether RouterOS catches this error."""
    if isinstance(error, ScriptSyntaxError):
        raise NotImplementedInEmulator(f"catching an unknown command: {error}") from error


def _retry(frame: Frame) -> Value:
    frame.only("command", "delay", "max", "on-error")
    delay, most = frame.value("delay"), _number(frame, "max")
    if most < 1:
        raise NotImplementedInEmulator(f":retry max={most}")
    for attempt in range(1, most + 1):
        try:
            frame.block("command")
        except ScriptError as error:
            if attempt == most and "on-error" not in frame.arguments:
                raise
            _check_known(error)
            if attempt == most:
                frame.block("on-error")
            else:
                frame.run.world.delay(seconds(delay))
        else:
            break
    return Nothing()


def seconds(value: Value) -> float:
    """Return the seconds of a delay, which is a time or a number of seconds."""
    if isinstance(value, Time):
        return value.ns / 1e9
    number = read_num(value) if isinstance(value, str) else value
    if not isinstance(number, int) or isinstance(number, bool):
        raise NotImplementedInEmulator(f"a delay of type {typeof(value)}")
    return float(number)


def _delay(frame: Frame) -> Value:
    frame.only("delay-time")
    frame.run.world.delay(seconds(frame.value("delay-time")))
    return Nothing()


def _error(frame: Frame) -> Value:
    frame.only("message")
    raise ScriptError(render(frame.value("message")))


def _return(arguments: Arguments) -> Thunk:
    only(arguments, "value")
    value = argument(arguments, "value")

    def step(run: Runner, scope: Scope) -> Value:
        raise ReturnSignal(value(run, scope))

    return step


_FRAMED: Mapping[str, Command] = {
    "for": _for,
    "while": _while,
    "do": _do,
    "onerror": _onerror,
    "retry": _retry,
    "delay": _delay,
    "error": _error,
}
COMMANDS: Mapping[str, Make] = {
    "if": _if,
    "foreach": _foreach,
    "return": _return,
    **{name: framed(command) for name, command in _FRAMED.items()},
}
