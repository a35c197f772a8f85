"""A line of the log: a level, a fixed phrase, then key=value. Pure."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning"]


@dataclass(frozen=True, slots=True)
class Say:
    """One line for the log: a fixed phrase, then key=value."""

    level: Level
    phrase: str
    fields: tuple[tuple[str, object], ...] = ()


def say(level: Level, phrase: str, **fields: object) -> Say:
    """Return a log line."""
    return Say(level, phrase, tuple(fields.items()))
