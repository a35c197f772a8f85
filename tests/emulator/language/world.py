"""A world without a router: it records what scripts print, and has a few items."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.routeros.language.call import STOP, Call, GlobalVariables, Unknowns
from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.values import Array, Id, Nothing, Value


@dataclass
class Items:
    """A menu with items: it answers `find` and records every call."""

    items: Mapping[str, Mapping[str, Value]]
    calls: list[Call] = field(default_factory=list)

    def call(self, call: Call) -> Value:
        """Record the call; answer `find` with ids."""
        self.calls.append(call)
        if call.verb != "find":
            return Nothing()
        return Array(tuple(Id(name) for name, item in self.items.items() if call.where is None or call.where(item)))


class BareWorld:
    """Records what a script prints, logs and waits for."""

    def __init__(
        self,
        version: str = "7.21.5",
        menus: Mapping[str, Items] | None = None,
        unknowns: Unknowns = STOP,
    ) -> None:
        self.version = version
        self.globals = GlobalVariables()
        self.unknowns = unknowns
        self.menus = menus or {}
        self.lines: list[str] = []
        self.logged: list[tuple[str, str]] = []
        self.waited_s: list[float] = []

    def menu(self, path: str) -> Items:
        """Return a menu of the test."""
        if path not in self.menus:
            raise NotImplementedInEmulator(path)
        return self.menus[path]

    def put(self, text: str) -> None:
        """Record a line."""
        self.lines.append(text)

    def log(self, topics: str, text: str) -> None:
        """Record a line of the log."""
        self.logged.append((topics, text))

    def delay(self, seconds: float) -> None:
        """Record the wait and return at once."""
        self.waited_s.append(seconds)

    def now_ns(self) -> int:
        """Return Unix time."""
        return time.time_ns()
