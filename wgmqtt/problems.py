"""The problems found in a text file, each with its line and column."""

import difflib
import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field
from operator import itemgetter

from wgmqtt.errors import ConfigError, Problem

MAX_SHOWN = 96  # characters of a line
MAX_PROBLEMS = 200  # of one file; more help nobody
MAX_COMPARED = 300_000  # words, about half a second; further problems get no suggestion
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_SECRET = re.compile(r"(?i)((?:pass(?:word|wd|phrase)?|secret|private_?key|preshared_?key|psk|token)[\"']?\s*:).+")


@dataclass(slots=True)
class Source:
    """The text of a configuration, the name of its file, and the problems found so far."""

    text: str
    where: str
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)  # of lines
    _compared: int = 0
    _unnamed: int = 0
    """Problems beyond `MAX_PROBLEMS`."""

    def reject(self, at: int, what: str, expected: str = "", got: str = "", hint: str = "") -> None:
        """Note a problem at an index of the text. Reading continues."""
        if len(self.problems) >= MAX_PROBLEMS:
            self._unnamed += 1
            return
        line = self.line_of(at)
        start = self._starts[line - 1]
        end = _LINE_BREAK.search(self.text, at)
        excerpt = _render_excerpt(self.text[start : end.start() if end else len(self.text)], at - start)
        where = f"{self.where}:{line}:{at - start + 1}"
        self.problems.append((at, Problem(where, what, expected, got, hint, excerpt)))

    def line_of(self, at: int) -> int:
        """Return the line, counted from 1, of an index of the text."""
        if not self._starts:
            self._starts = [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]
        return bisect_right(self._starts, at)

    def nearest(self, word: str, choices: Collection[str]) -> str:
        """Return the choice of which `word` is probably a misspelling, or an empty string."""
        self._compared += len(choices)
        near = difflib.get_close_matches(word[:MAX_SHOWN], choices, 1) if self._compared <= MAX_COMPARED else []
        return near[0] if near else ""

    def raise_problems(self) -> None:
        """Raise one ConfigError with all problems in the order of the file, if there are any."""
        if self.problems:
            ordered = [problem for _, problem in sorted(self.problems, key=itemgetter(0))]
            if self._unnamed:
                ordered.append(Problem(self.where, f"and {self._unnamed} more problems"))
            raise ConfigError(*dict.fromkeys(ordered))


def did_you_mean(word: str) -> str:
    """Return the hint for a word that `Source.nearest` found."""
    return f"did you mean {word}?" if word else ""


def _render_excerpt(line: str, column: int) -> str:
    """Return the line with a caret below `column`. A secret is hidden; a long line is cut around the caret."""
    shown = _SECRET.sub(r"\1 …", line)
    column = min(column, len(shown))
    start = max(0, column - MAX_SHOWN // 2) if len(shown) > MAX_SHOWN else 0
    window = "".join(char if char.isprintable() else " " for char in shown[start : start + MAX_SHOWN])
    return f"    {window.rstrip()}\n    {' ' * (column - start)}^"
