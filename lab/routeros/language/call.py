"""What passes between the language and the router's menus. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, Protocol

from lab.routeros.language.values import Nothing, Value

# What becomes of a value whose fate on RouterOS nobody measured (JSON's null, a fraction, `:toip "1.1"` …). `stop`: the
# emulator stops. The others are guesses, to show that a script does no harm whichever is true: `refuse`: an error, or
# nil; `text`: it stays text; `number`: it becomes a number, an address, nothing.
OddValues = Literal["stop", "refuse", "text", "number"]


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a menu, its arguments evaluated and checked against the schema."""

    menu: str  # "/interface/wireguard/peers"; a global command (":put") never reaches a menu
    verb: str  # "set"
    unnamed: tuple[Value, ...] = ()  # the ids of set, get and remove, the property name of get
    named: Mapping[str, Value] = field(default_factory=dict)  # name=value
    flags: frozenset[str] = frozenset()  # bare words such as count-only, as-value
    where: Callable[[Mapping[str, Value]], bool] | None = None  # evaluated per item, given its properties


class Menu(Protocol):
    """One menu of the router."""

    def call(self, call: Call) -> Value:
        """Carry out one command; a command that returns nothing gives `Nothing()`.

        Raises:
            ScriptError: what RouterOS refuses.
            NotImplementedInEmulator: what RouterOS has and the emulator lacks.
        """
        ...


class GlobalVariables:
    """The `:global` variables of one user, shared by scripts that run in parallel threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: dict[str, Value] = {}

    def get(self, name: str) -> Value:
        """Return the value, `Nothing()` if there is no such variable."""
        with self._lock:
            return self._values.get(name, Nothing())

    def names(self) -> frozenset[str]:
        """Return the names of all variables."""
        with self._lock:
            return frozenset(self._values)

    def set(self, name: str, value: Value) -> None:
        """Set the value; setting `Nothing()` removes the variable from the environment."""
        with self._lock:
            if isinstance(value, Nothing):
                self._values.pop(name, None)
            else:
                self._values[name] = value


class World(Protocol):
    """What the interpreter needs from the router it runs on."""

    version: str  # "7.16.2"
    globals: GlobalVariables
    odd_values: OddValues

    def menu(self, path: str) -> Menu:
        """Return the menu at an absolute path such as `/iot/mqtt/brokers`.

        Raises:
            NotImplementedInEmulator: the schema has the menu and the emulator does not.
        """
        ...

    def put(self, text: str) -> None:
        """Take one line that `:put` prints."""
        ...

    def log(self, topics: str, text: str) -> None:
        """Take one line that `:log` writes; topics are `info`, `warning`, `error` or `debug`."""
        ...

    def delay(self, seconds: float) -> None:
        """Wait."""
        ...

    def now_ns(self) -> int:
        """Return Unix time."""
        ...
