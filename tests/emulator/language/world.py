"""A world with a terminal and a few items, for scripts that need no router."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.routeros.language.call import Call, GlobalVariables, OddValues
from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.values import Array, Id, Nothing, Value


@dataclass
class Items:
    """A menu with items: `find` answers, every call is kept."""

    items: Mapping[str, Mapping[str, Value]]
    calls: list[Call] = field(default_factory=list)

    def call(self, call: Call) -> Value:
        """Keep the call; answer `find` with ids."""
        self.calls.append(call)
        if call.verb != "find":
            return Nothing()
        return Array(tuple(Id(name) for name, item in self.items.items() if call.where is None or call.where(item)))


class BareWorld:
    """Keeps what a script prints, logs and waits for."""

    def __init__(self, version: str = "7.21.5", menus: Mapping[str, Items] | None = None) -> None:
        self.version = version
        self.globals = GlobalVariables()
        self.odd_values: OddValues = "stop"
        self.menus = menus or {}
        self.lines: list[str] = []
        self.logged: list[tuple[str, str]] = []
        self.waited_s: list[float] = []

    def menu(self, path: str) -> Items:
        """Return a menu that the test made."""
        if path not in self.menus:
            raise NotImplementedInEmulator(path)
        return self.menus[path]

    def put(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)

    def log(self, topics: str, text: str) -> None:
        """Keep a line of the log."""
        self.logged.append((topics, text))

    def delay(self, seconds: float) -> None:
        """Keep the wait and go on at once."""
        self.waited_s.append(seconds)

    def now_ns(self) -> int:
        """Return Unix time."""
        return time.time_ns()
