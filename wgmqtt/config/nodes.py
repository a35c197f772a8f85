"""YAML text to nodes with line and column, and the list of what is wrong with them. Pure."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from operator import itemgetter

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from wgmqtt.errors import ConfigError, Problem

MAX_FILE_BYTES = 4 << 20
MAX_DEPTH = 16  # a configuration needs 5; the parser in C calls itself at each level
MAX_SHOWN = 96  # characters of a line
MAX_GIVEN = 60  # characters of a value
MAX_COMPARED = 300_000  # half a second; problems beyond it get no suggestion

_TAG = "tag:yaml.org,2002:"
# YAML 1.1, section 5.1: what may stand in a stream.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_SECRET = re.compile(r"(?i)((?:pass(?:word|wd|phrase)?|secret|private_?key|preshared_?key|psk|token)[\"']?\s*:).+")


class _PlacedLoader:
    """Mixed into PyYAML's loader: implicit tags lose their prefix, so explicit ones show; depth is bounded."""

    _depth = 0

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[misc]  # the loader's, beside this class
        return tag.removeprefix(_TAG)

    def descend_resolver(self, parent: Node | None, _index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = parent.start_mark if parent is not None else None
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


_LOADER = type("_Loader", (_PlacedLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), {})


@dataclass(slots=True)
class Source:
    """A configuration's text, where it comes from, and the problems found in it so far."""

    text: str
    where: str
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    read: dict[tuple[int, int], object] = field(default_factory=dict)  # (rule, node) → value: an alias is read once
    merged: int = 0  # keys that `<<` brought in
    merging: int = 0  # places that are being merged, each into the one before
    compared: int = 0  # words, to find what a mistyped one may mean

    def refuse(self, node: Node, what: str, allowed: str = "", given: str = "", hint: str = "") -> None:
        """Note that `node` is wrong; reading goes on."""
        self.refuse_at(node.start_mark, Problem("", what, allowed, given, hint))

    def refuse_at(self, mark: yaml.Mark, problem: Problem) -> None:
        """Note `problem` at `mark`, with the line it stands in."""
        start = mark.index - mark.column
        end = _LINE_BREAK.search(self.text, mark.index)
        line = self.text[start : end.start() if end else len(self.text)]
        where = f"{self.where}:{mark.line + 1}:{mark.column + 1}"
        self.problems.append((mark.index, replace(problem, where=where, excerpt=_render_excerpt(line, mark.column))))

    def line_of(self, node: Node) -> int:
        """Return the line `node` begins in, counted from 1."""
        return node.start_mark.line + 1

    def nearest(self, word: str, choices: Collection[str]) -> str:
        """Return the choice that `word` is likely a mistyped form of, or nothing."""
        self.compared += len(choices)
        if self.compared > MAX_COMPARED:
            return ""
        near = difflib.get_close_matches(word[:MAX_SHOWN], choices, n=1)
        return near[0] if near else ""

    def suggest(self, word: str, choices: Collection[str]) -> str:
        """Return "did you mean …?", or nothing when no choice is near."""
        meant = self.nearest(word, choices)
        return f"did you mean {meant}?" if meant else ""

    def raise_if_refused(self) -> None:
        """Raise one ConfigError with every problem noted, in the order of the file."""
        if self.problems:
            ordered = sorted(self.problems, key=itemgetter(0))
            raise ConfigError(*dict.fromkeys(problem for _, problem in ordered))


def compose(source: Source) -> Node | None:
    """Return the root node of the YAML text (YAML 1.1, as PyYAML reads it); None when it holds nothing.

    Raises:
        ConfigError: it is too large, or not YAML.
    """
    size = len(source.text.encode("utf-8", "surrogatepass"))
    if size > MAX_FILE_BYTES:
        raise ConfigError(Problem(source.where, "the file is too large", f"{MAX_FILE_BYTES} bytes", f"{size} bytes"))
    stray = _UNPRINTABLE.search(source.text)
    if stray:
        mark = _mark_at(source.text, stray.start())
        given = f"U+{ord(stray.group()):04X}"
        source.refuse_at(mark, Problem("", "a character that YAML does not allow", got=given))
        source.raise_if_refused()
    try:
        root: Node | None = yaml.compose(source.text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_render_error(error, source)) from error
    except yaml.YAMLError as error:
        raise ConfigError(Problem(source.where, f"not valid YAML: {error}")) from error
    else:
        return root


def _render_error(error: yaml.MarkedYAMLError, source: Source) -> Problem:
    """Return what PyYAML found, in its words, and the line in which the unfinished part begins."""
    begin, place = error.context_mark, error.problem_mark or error.context_mark
    context = f"{error.context} (line {begin.line + 1})" if begin is not None else error.context
    what = f"not valid YAML: {': '.join(part for part in (context, error.problem) if part)}"
    if place is None:
        return Problem(source.where, what)
    tab = source.text[place.index : place.index + 1] == "\t"
    source.refuse_at(place, Problem("", what, hint="this is a tab; YAML indents with blanks" if tab else ""))
    return source.problems[-1][1]


def render_given(node: Node) -> str:
    """Return what stands at `node`, short enough for a message."""
    if is_tagged(node):
        return f"the YAML tag {clip(node.tag.replace(_TAG, '!!'))}"
    if isinstance(node, ScalarNode):
        return clip(repr(node.value) if node.style else node.value) or "nothing"
    return "a list" if isinstance(node, SequenceNode) else "keys and values"


def is_tagged(node: Node) -> bool:
    """Return whether the file gives this node a tag of its own: `!!str`, `!name`."""
    return node.tag.startswith(("!", "tag:"))


def clip(text: str) -> str:
    """Return `text` on one line of a message, cut after 60 characters."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= MAX_GIVEN else f"{text[: MAX_GIVEN - 1]}…"


def pairs_of(node: MappingNode) -> list[tuple[Node, Node]]:
    """Return the keys and values of a mapping; PyYAML's own type says nothing of them."""
    pairs: list[tuple[Node, Node]] = node.value
    return pairs


def _mark_at(text: str, index: int) -> yaml.Mark:
    breaks = list(_LINE_BREAK.finditer(text, 0, index))
    start = breaks[-1].end() if breaks else 0
    return yaml.Mark("", index, len(breaks), index - start, None, 0)


def _render_excerpt(line: str, column: int) -> str:
    """Return the line with a caret under `column`; a secret is hidden, a long line cut around the caret."""
    shown = _SECRET.sub(r"\1 …", line)
    column = min(column, len(shown))
    start = max(0, column - MAX_SHOWN // 2) if len(shown) > MAX_SHOWN else 0
    window = "".join(char if char.isprintable() else " " for char in shown[start : start + MAX_SHOWN])
    return f"    {window.rstrip()}\n    {' ' * (column - start)}^"
