"""Apply operators: arithmetic, bits, concatenation, arrays, logic.

Sources: the rows of data/device-measured.json; MikroTik's manual, "Scripting", Operators, and its older examples
(times, addresses); tarikin's reference (a string of digits counts as a number, an unset variable as 0 and
as "", both sides of `and` and `or` are always evaluated, overflow wraps).
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from lab.routeros.language.compare import contained, equal, matches, ordered
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.literals import read_num
from lab.routeros.language.values import Array, Code, Ip, Ip6, Nil, Nothing, Op, Time, Value, render, typeof


def wrap(number: int) -> int:
    """Return the number wrapped to 64 bits with a sign."""
    return (number + 2**63) % 2**64 - 2**63


def _unknown(left: Value, operator: str, right: Value) -> NotImplementedInEmulator:
    return NotImplementedInEmulator(f"{typeof(left)} {operator} {typeof(right)}")


def _number(value: Value) -> int | None:
    if isinstance(value, Nothing):
        return 0
    if isinstance(value, str):
        return read_num(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _add(left: Value, right: Value) -> Value:
    match left, right:
        case Time(), Time():
            return Time(wrap(left.ns + right.ns))
        case Ip(), int() if not isinstance(right, bool):
            return Ip(IPv4Address((int(left.address) + right) % 2**32))
        case (bool(), int()) | (int(), bool()):
            raise ScriptError(f"cannot add {typeof(left)} to {typeof(right)}")
    return wrap(_numbers(left, "+", right, lambda a, b: a + b))


def _subtract(left: Value, right: Value) -> Value:
    match left, right:
        case Time(), Time():
            return Time(wrap(left.ns - right.ns))
        case Ip(), Ip():
            return int(left.address) - int(right.address)
        case Ip(), int() if not isinstance(right, bool):
            return Ip(IPv4Address((int(left.address) - right) % 2**32))
    return wrap(_numbers(left, "-", right, lambda a, b: a - b))


def _multiply(left: Value, right: Value) -> Value:
    if isinstance(left, Time) and isinstance(right, int) and not isinstance(right, bool):
        return Time(wrap(left.ns * right))
    return wrap(_numbers(left, "*", right, lambda a, b: a * b))


def _divide(left: Value, right: Value) -> Value:
    if isinstance(left, Time) and isinstance(right, int) and not isinstance(right, bool):
        return Time(_quotient(left.ns, right))
    return _numbers(left, "/", right, _quotient)


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise ScriptError("division by zero")
    quotient = abs(left) // abs(right)
    return wrap(quotient if (left < 0) == (right < 0) else -quotient)


def _remainder(left: Value, right: Value) -> Value:
    return _numbers(left, "%", right, lambda a, b: a - b * _quotient(a, b))


def _numbers(left: Value, operator: str, right: Value, work: Callable[[int, int], int]) -> int:
    a, b = _number(left), _number(right)
    if a is None or b is None or (isinstance(left, str | Nothing) and isinstance(right, str | Nothing)):
        raise _unknown(left, operator, right)
    return work(a, b)


def _bits(operator: str, work: Callable[[int, int], int]) -> Callable[[Value, Value], Value]:
    def combine(left: Value, right: Value) -> Value:
        match left, right:
            case Ip(), Ip():
                return Ip(IPv4Address(work(int(left.address), int(right.address))))
            case Ip6(), Ip6():
                return Ip6(IPv6Address(work(int(left.address), int(right.address))))
            case (bool(), _) | (_, bool()):
                raise _unknown(left, operator, right)
            case int(), int():
                return wrap(work(left, right))
            case _:
                raise _unknown(left, operator, right)

    return combine


def _shift(operator: str, left: Value, right: Value) -> Value:
    if isinstance(left, bool) or isinstance(right, bool) or not isinstance(left, int) or not isinstance(right, int):
        raise _unknown(left, operator, right)
    if not 0 <= right < 64 or left < 0:
        raise NotImplementedInEmulator(f"{left} {operator} {right}")
    return wrap(left << right if operator == "<<" else left >> right)


def concatenate(left: Value, right: Value) -> Value:
    """Return `left . right`; with an array, concatenate each member."""
    match left, right:
        case (Code() | Op(), _) | (_, Code() | Op()) | (Array(), Array()):
            raise _unknown(left, ".", right)
        case Array(), _:
            return _each(left, lambda member: concatenate(member, right))
        case _, Array():
            return _each(right, lambda member: concatenate(left, member))
        case _:
            return render(left) + render(right)


def _each(array: Array, work: Callable[[Value], Value]) -> Array:
    if array.keyed:
        raise NotImplementedInEmulator("`.` with an array that has keys")
    return Array(tuple(work(member) for member in array.items))


def join(left: Value, right: Value) -> Value:
    """Return `left , right`: an array of both."""
    if isinstance(left, Nothing | Nil) or isinstance(right, Nothing | Nil):
        raise _unknown(left, ",", right)
    first, second = (value if isinstance(value, Array) else Array((value,)) for value in (left, right))
    if first.keyed.keys() & second.keyed.keys():
        raise NotImplementedInEmulator("`,` of two arrays with a key in common")
    return Array(first.items + second.items, {**first.keyed, **second.keyed})


def element(array: Value, key: Value) -> Value:
    """Return `array -> key`; a missing member, and any member of nothing, is nothing."""
    if isinstance(array, Nothing):
        return Nothing()
    if not isinstance(array, Array) or isinstance(key, bool):
        raise _unknown(array, "->", key)
    if isinstance(key, str):
        if key not in array.keyed and array.items and read_num(key) is not None:
            raise _unknown(array, "->", key)
        return array.keyed.get(key, Nothing())
    if not isinstance(key, int) or key < 0 or (key >= len(array.items) and array.keyed):
        raise NotImplementedInEmulator(f"array -> {render(key)} (type {typeof(key)}, of {len(array)} members)")
    return array.items[key] if key < len(array.items) else Nothing()


def _equal(left: Value, right: Value) -> Value:
    return Nil() if isinstance(left, Nil) or isinstance(right, Nil) else equal(left, right)


def _ordered(operator: str, left: Value, right: Value) -> Value:
    return Nil() if isinstance(left, Nil) or isinstance(right, Nil) else ordered(operator, left, right)


def negate(value: Value) -> Value:
    """Return `!value`; the result of a comparison with nil is nil, and so is its opposite."""
    return value if isinstance(value, Nil) else not value


def _truths(operator: str, left: Value, right: Value) -> tuple[bool, bool]:
    if not isinstance(left, bool) or not isinstance(right, bool):
        raise _unknown(left, operator, right)
    return left, right


_BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _remainder,
    "&": _bits("&", lambda a, b: a & b),
    "|": _bits("|", lambda a, b: a | b),
    "^": _bits("^", lambda a, b: a ^ b),
    "<<": lambda a, b: _shift("<<", a, b),
    ">>": lambda a, b: _shift(">>", a, b),
    ".": concatenate,
    ",": join,
    "->": element,
    "=": _equal,
    "!=": lambda a, b: negate(_equal(a, b)),
    "~": matches,
    "in": contained,
    "and": lambda a, b: all(_truths("and", a, b)),
    "or": lambda a, b: any(_truths("or", a, b)),
}
_SAME = {"&&": "and", "||": "or"}


def function(operator: str) -> Callable[[Value, Value], Value]:
    """Return the function of two values for this operator.

    It raises:
        ScriptError: RouterOS reports an error for these types.
        NotImplementedInEmulator: what RouterOS does with these types was never measured.
    """
    if operator in {"<", ">", "<=", ">="}:
        return lambda left, right: _ordered(operator, left, right)
    return _BINARY[_SAME.get(operator, operator)]


def unary(operator: str, value: Value) -> Value:
    """Return `-value`, `!value`, `~value` or `any value`; raise as the functions of two values do."""
    match operator, value:
        case "any", _ if not isinstance(value, Nil):
            return not isinstance(value, Nothing)
        case "!", bool() | Nil():
            return negate(value)
        case "-", Time():
            return Time(-value.ns)
        case "~", Ip():
            return Ip(IPv4Address(int(value.address) ^ (2**32 - 1)))
        case "~", Ip6():
            return Ip6(IPv6Address(int(value.address) ^ (2**128 - 1)))
        case (("-" | "~"), int()) if not isinstance(value, bool):
            return wrap(-value) if operator == "-" else ~value
        case _:
            raise NotImplementedInEmulator(f"{operator} {typeof(value)}")
