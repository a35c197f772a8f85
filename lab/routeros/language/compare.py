"""Compare two values: `=`, `<`, `~` and `in`.

Sources: the rows of data/device-measured.json; MikroTik's manual, "Scripting", Relational and Logical Operators;
tarikin's reference (a number and a string of digits compare as numbers, a bool and a number are never
equal, a string has no order). For any other two types the result is not known, and the emulator stops: write
`[:tostr …]` on both sides.
"""

import re
from functools import lru_cache
from ipaddress import ip_network

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, UndecidedError
from lab.routeros.language.literals import read_num
from lab.routeros.language.values import Array, Code, Ip, Ip6, Ip6Prefix, IpPrefix, Op, Time, Value, typeof

_ORDER_WORDS = {"<": "less than", ">": "more than", "<=": "less or equal to", ">=": "more or equal to"}
_TYPE_WORDS = {"str": "string", "num": "number", "ip": "ip address", "time": "time interval"}
# The syntax that POSIX and Python share: a backslash only before a symbol, no class names, no look-around.
_PLAIN_REGEX = re.compile(r"(?:[^\\\[(?]|\\[^A-Za-z0-9<>`'\n]|\[[^\[\\]*\]|\((?!\?)|(?<![*+?}])\?)*", re.DOTALL)

_END = re.compile(r"(\\.|\[\^?\]?[^\]]*\])|\$", re.DOTALL)


def equal(left: Value, right: Value) -> bool:
    """Return whether RouterOS treats the two values as equal.

    Raises:
        NotImplementedInEmulator: how it compares these types was never measured.
    """
    kinds = {typeof(left), typeof(right)}
    if kinds == {"num", "str"}:
        numbers = [read_num(value) if isinstance(value, str) else value for value in (left, right)]
        if None not in numbers:
            return numbers[0] == numbers[1]
    if kinds == {"bool", "num"}:
        return False
    if len(kinds) > 1 or isinstance(left, Array | Code | Op):
        given = f"{typeof(left)} = {typeof(right)}"
        raise NotImplementedInEmulator(f"comparing {given}; write [:tostr …] on both sides")
    return left == right


def ordered(operator: str, left: Value, right: Value) -> bool:
    """Return `left < right` and the like for numbers, times and addresses.

    Raises:
        ScriptError: strings and arrays have no order.
        NotImplementedInEmulator: the types differ.
    """
    sign = _sign(left, right)
    if sign is None:
        names = [_TYPE_WORDS.get(typeof(value), typeof(value)) for value in (left, right)]
        if typeof(left) in {"str", "array"} and typeof(left) == typeof(right):
            raise ScriptError(f"cannot compare if {names[0]} is {_ORDER_WORDS[operator]} {names[1]}")
        raise NotImplementedInEmulator(f"comparing {typeof(left)} {operator} {typeof(right)}")
    if operator in {"<=", ">="} and sign == 0:
        return True
    return sign < 0 if operator.startswith("<") else sign > 0


def _sign(left: Value, right: Value) -> int | None:
    match left, right:
        case (bool(), _) | (_, bool()):
            return None
        case int(), int():
            return (left > right) - (left < right)
        case Time(), Time():
            return (left.ns > right.ns) - (left.ns < right.ns)
        case Ip(), Ip():
            return (left.address > right.address) - (left.address < right.address)
        case _:
            return None


def matches(value: Value, pattern: Value) -> bool:
    """Return `value ~ pattern`, for the part of POSIX's extended expressions that Python reads in the same way.

    Raises:
        NotImplementedInEmulator: the pattern goes beyond that part, or one side is not a string.
    """
    if not isinstance(value, str) or not isinstance(pattern, str):
        raise NotImplementedInEmulator(f"{typeof(value)} ~ {typeof(pattern)}")
    if not _PLAIN_REGEX.fullmatch(pattern):
        raise NotImplementedInEmulator(f"the regular expression {pattern}")
    try:
        return re.search(_pythonic(pattern), value, re.DOTALL) is not None
    except re.error as error:
        raise NotImplementedInEmulator(f"the regular expression {pattern}: {error}") from error


@lru_cache(maxsize=256)
def _pythonic(pattern: str) -> str:
    r"""Replace `$` by `\Z`: Python's `$` also matches before a final line break, and POSIX's does not."""
    return _END.sub(lambda match: match[1] or r"\Z", pattern)


def contained(left: Value, right: Value) -> bool:
    """Return `left in right`: an address or a prefix in a prefix.

    Raises:
        UndecidedError: two address families.
        NotImplementedInEmulator: other types.
    """
    families = [{Ip: 4, IpPrefix: 4, Ip6: 6, Ip6Prefix: 6}.get(type(value)) for value in (left, right)]
    if None not in families and families[0] != families[1] and isinstance(right, IpPrefix | Ip6Prefix):
        raise UndecidedError(f"{typeof(left)} in {typeof(right)}", guess=False)
    if isinstance(left, Ip | IpPrefix) and isinstance(right, IpPrefix):
        inner_bits = left.bits if isinstance(left, IpPrefix) else 32
    elif isinstance(left, Ip6 | Ip6Prefix) and isinstance(right, Ip6Prefix):
        inner_bits = left.bits if isinstance(left, Ip6Prefix) else 128
    else:
        raise NotImplementedInEmulator(f"{typeof(left)} in {typeof(right)}")
    networks = [ip_network((value.address, right.bits), strict=False) for value in (left, right)]
    return inner_bits >= right.bits and networks[0] == networks[1]
