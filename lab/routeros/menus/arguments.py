"""Read the values of a command's arguments as RouterOS does, whatever their type.

The texts of errors are RouterOS's own where the manual or a public log shows them; the others are assumed (the
tests say which).
"""

from ipaddress import ip_address, ip_interface

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Array, Id, Ip, Ip6, Ip6Prefix, IpPrefix, Nil, Nothing, Time, Value, render

_SECOND_NS = 1_000_000_000
_BOOLS = {"yes": True, "true": True, "no": False, "false": False}
_TEXT_TYPES = (str, int, bool, Ip, Ip6, IpPrefix, Ip6Prefix, Time, Id, Nil, Nothing)


def read_text(name: str, value: Value) -> str:
    """Return the value as text; an array or code is rejected."""
    if isinstance(value, _TEXT_TYPES):
        return render(value)
    if isinstance(value, Array):
        raise NotImplementedInEmulator(f"an array as the value of {name}")
    raise NotImplementedInEmulator(f"code as the value of {name}: give it as a quoted string")


def read_bool(name: str, value: Value) -> bool:
    """Return yes or no.

    Raises:
        ScriptError: it is neither.
    """
    if isinstance(value, bool):
        return value
    answer = _BOOLS.get(read_text(name, value))
    if answer is None:
        raise ScriptError(f"invalid value for argument {name}")
    return answer


def read_number(name: str, value: Value, low: int, high: int) -> int:
    """Return a number between `low` and `high`, both included.

    Raises:
        ScriptError: not a number, or out of range.
    """
    text = str(int(value)) if isinstance(value, int) and not isinstance(value, bool) else read_text(name, value)
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise ScriptError(f"invalid value for argument {name}")
    number = int(text)
    if not low <= number <= high:
        raise ScriptError(f"value of {name} out of range ({low}..{high})")
    return number


def read_span(name: str, value: Value) -> Time:
    """Return a time; a number without a unit means seconds.

    Raises:
        ScriptError: it is neither a time nor a number.
    """
    if isinstance(value, Time):
        return value
    return Time(read_number(name, value, 0, 2**31) * _SECOND_NS)


def read_address(name: str, value: Value) -> Ip | Ip6:
    """Return an IP address, from an address or a text (IPv6 without brackets).

    Raises:
        ScriptError: it is not an address.
    """
    if isinstance(value, Ip | Ip6):
        return value
    try:
        address = ip_address(read_text(name, value))
    except ValueError:
        raise ScriptError(f"invalid value for argument {name}") from None
    return Ip(address) if address.version == 4 else Ip6(address)


def read_prefixes(name: str, value: Value) -> Array:
    """Return prefixes from an array, one prefix, one address, or text with commas.

    Raises:
        ScriptError: one of them is not a prefix.
    """
    members = value.items if isinstance(value, Array) else filter(None, read_text(name, value).split(","))
    return Array(tuple(_read_prefix(name, member) for member in members))


def _read_prefix(name: str, value: Value) -> IpPrefix | Ip6Prefix:
    try:
        interface = ip_interface(read_text(name, value))
    except ValueError:
        raise ScriptError(f"invalid value for argument {name}") from None
    bits = interface.network.prefixlen
    if interface.version == 4:
        return IpPrefix(interface.ip, bits)
    return Ip6Prefix(interface.ip, bits)
