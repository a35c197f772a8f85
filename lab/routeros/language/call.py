"""The interface between the language and the router that a script runs on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, Protocol

from lab.routeros.language.values import Nothing, Value

# The result of a value for which RouterOS's behaviour was never measured (JSON's null, a fraction, `:toip "1.1"` …).
# `stop`: the emulator stops. The others are guesses, to show that a script does no harm whichever is true: `refuse`: an
# error, or nil; `text`: it remains text; `number`: it becomes a number, an address, or nothing.
OddValues = Literal["stop", "refuse", "text", "number"]


@dataclass(frozen=True, slots=True)
class Unknowns:
    """How to treat what is not known of the language (see switches.py)."""

    odd_values: OddValues = "refuse"
    nil_condition: Literal["neither", "else", "error"] = "neither"
    empty_array: Literal["array", "text"] = "array"
    bracket_statement: Literal["alone", "continues"] = "alone"


STOP = Unknowns(odd_values="stop")  # the emulator stops where a value's result is not known


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a menu; its arguments are evaluated and were checked against the schema."""

    menu: str  # "/interface/wireguard/peers"; a global command (":put") never reaches a menu
    verb: str  # "set"
    unnamed: tuple[Value, ...] = ()  # the ids of set, get and remove, the property name of get
    named: Mapping[str, Value] = field(default_factory=dict)  # name=value
    flags: frozenset[str] = frozenset()  # bare words such as count-only, as-value
    where: Callable[[Mapping[str, Value]], bool] | None = None  # evaluated per item, given its properties


class Menu(Protocol):
    """One menu of the router."""

    def call(self, call: Call) -> Value:
        """Carry out one command; return `Nothing()` if it returns no value.

        Raises:
            ScriptError: RouterOS reports this error.
            NotImplementedInEmulator: RouterOS can do this and the emulator cannot.
        """
        ...


class GlobalVariables:
    """The `:global` variables of one user, which scripts in parallel threads share."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: dict[str, Value] = {}

    def get(self, name: str) -> Value:
        """Return a variable's value, `Nothing()` if it does not exist."""
        with self._lock:
            return self._values.get(name, Nothing())

    def names(self) -> frozenset[str]:
        """Return the names of all variables."""
        with self._lock:
            return frozenset(self._values)

    def set(self, name: str, value: Value) -> None:
        """Set a variable; `Nothing()` removes it."""
        with self._lock:
            if isinstance(value, Nothing):
                self._values.pop(name, None)
            else:
                self._values[name] = value


class World(Protocol):
    """What the interpreter needs from the router it runs on."""

    version: str  # "7.16.2"
    globals: GlobalVariables
    unknowns: Unknowns

    def menu(self, path: str) -> Menu:
        """Return the menu at an absolute path such as `/iot/mqtt/brokers`.

        Raises:
            NotImplementedInEmulator: the emulator does not have this menu.
        """
        ...

    def put(self, text: str) -> None:
        """Receive one line that `:put` prints."""
        ...

    def log(self, topics: str, text: str) -> None:
        """Receive one line that `:log` writes; topics are `info`, `warning`, `error` or `debug`."""
        ...

    def delay(self, seconds: float) -> None:
        """Wait."""
        ...

    def now_ns(self) -> int:
        """Return Unix time."""
        ...
