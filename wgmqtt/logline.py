"""A line of the log: a level, a fixed phrase, then key=value."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """The fixed text of a log line, and what it means. All of them are declared in `wgmqtt.phrases`.

    `level` is the most severe level the line is written at; `say_at` may choose a lower one for a repetition.
    `happened` and `reaction` become a row of the table in docs/operations.md, `fields` are the keys that follow.
    """

    text: str
    level: Level
    happened: str
    reaction: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Say:
    """One line for the log: a fixed phrase, then key=value."""

    level: Level
    phrase: str
    fields: tuple[tuple[str, object], ...] = ()


def say(phrase: Phrase, /, **fields: object) -> Say:
    """Return a log line at the level of its phrase."""
    return Say(phrase.level, phrase.text, tuple(fields.items()))


def say_at(level: Level, phrase: Phrase, /, **fields: object) -> Say:
    """Return a log line at another level, for a phrase whose repetitions are less important."""
    return Say(level, phrase.text, tuple(fields.items()))
