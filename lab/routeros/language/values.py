"""The values of the RouterOS language and their text (`:tostr`, `:typeof`).

A `str` holds bytes: each character is one byte, 0 to 255 (decode with latin-1), because RouterOS counts and cuts bytes.
`num` is a Python `int` and `bool` a Python `bool`: always test for `bool` first. `str()` returns what `:tostr` returns,
except for a `bool`: use `render`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from lab.routeros.language.errors import NotImplementedInEmulator


@dataclass(frozen=True, slots=True)
class Ip:
    """`ip`."""

    address: IPv4Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Ip6:
    """`ip6`."""

    address: IPv6Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class IpPrefix:
    """`ip-prefix`: keeps its host bits."""

    address: IPv4Address
    bits: int

    def __str__(self) -> str:
        return f"{self.address}/{self.bits}"


@dataclass(frozen=True, slots=True)
class Ip6Prefix:
    """`ip6-prefix`: a literal loses its host bits."""

    address: IPv6Address
    bits: int

    def __str__(self) -> str:
        return f"{self.address}/{self.bits}"


@dataclass(frozen=True, slots=True)
class Time:
    """`time`, a span in nanoseconds."""

    ns: int

    def __str__(self) -> str:
        return render_time(self.ns)


@dataclass(frozen=True, slots=True)
class Id:
    """`id` of an item, with its star: `*1A`."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Nothing:
    """`nothing`: a missing key, an unset variable, the result of a command that returns none."""

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Nil:
    """`nil`: a conversion that failed."""

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Array:
    """`array`: members without a key in their order, then keyed members sorted by key."""

    items: "tuple[Value, ...]" = ()
    keyed: "Mapping[str, Value]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keyed", dict(sorted(self.keyed.items())))

    def __len__(self) -> int:
        return len(self.items) + len(self.keyed)

    def __str__(self) -> str:
        members = [render(member) for member in self.items]
        return ";".join(members + [f"{key}={render(member)}" for key, member in self.keyed.items()])


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """A function: of type `code` if `:parse` made it, of type `array` (sic) if `do={…}` did."""

    body: object
    parsed: bool = False

    def __str__(self) -> str:
        raise NotImplementedInEmulator("the text of a function")


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """`op`: an unevaluated expression, `(>[…])`. Only the interpreter uses `body`."""

    body: object

    def __str__(self) -> str:
        raise NotImplementedInEmulator("the text of a value of type op")


Value = int | str | bool | Ip | Ip6 | IpPrefix | Ip6Prefix | Time | Id | Nothing | Nil | Array | Code | Op

_TYPE_NAMES: Mapping[type, str] = {
    bool: "bool",
    int: "num",
    str: "str",
    Ip: "ip",
    Ip6: "ip6",
    IpPrefix: "ip-prefix",
    Ip6Prefix: "ip6-prefix",
    Time: "time",
    Id: "id",
    Nothing: "nothing",
    Nil: "nil",
    Array: "array",
    Code: "code",
    Op: "op",
}


def typeof(value: Value) -> str:
    """Return what `:typeof` returns."""
    if isinstance(value, Code) and not value.parsed:
        return "array"
    return _TYPE_NAMES[type(value)]


def render(value: Value) -> str:
    """Return the text of a value, as in `:tostr`, `:put` and string interpolation."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def readable(text: str) -> str:
    """Return the language's text, one character per byte, as people read it: as UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text  # not the text of a script: it was decoded before


_SECOND = 1_000_000_000


def render_time(ns: int) -> str:
    """Return a span as RouterOS prints it: `1w2d03:04:05.006`."""
    if ns < 0:
        return "-" + render_time(-ns)
    seconds, fraction = divmod(ns, _SECOND)
    days, seconds = divmod(seconds, 86_400)
    weeks, days = divmod(days, 7)
    text = (f"{weeks}w" if weeks else "") + (f"{days}d" if days else "")
    text += f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if not fraction:
        return text
    digits = f"{fraction:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}"
