"""The kinds of values a configuration is made of: how each is read from a node, and its JSON Schema. Pure."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from yaml.nodes import Node, ScalarNode, SequenceNode

from wgmqtt.config.nodes import Source, clip, is_tagged, render_given

T = TypeVar("T")

TEXT = frozenset({"str"})
NUMBER = frozenset({"int", "float"})
ALL = "all"

_WORDS = {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing", "timestamp": "a date"}


class Refused(Exception):  # noqa: N818  # it is a verdict on a value, caught where the place is known
    """The text of a scalar is not what it should be: `what` is wrong with it, and perhaps a hint."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class Kind(ABC, Generic[T]):
    """One kind of value."""

    @abstractmethod
    def read(self, node: Node, key: Node, source: Source) -> T | None:
        """Return the value at `node`, None when problems were noted. `key` names it in messages."""

    @abstractmethod
    def render(self) -> dict[str, Any]:
        """Return its JSON Schema."""


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A value, and the node it was read from."""

    value: T
    node: Node


@dataclass(frozen=True)
class Scalar(Kind[T]):
    """A single value, read by `parse`, which raises Refused."""

    parse: Callable[[str], T]
    allowed: str
    schema: Mapping[str, Any]
    tags: frozenset[str] = TEXT
    words: tuple[str, ...] = ()

    def read(self, node: Node, key: Node, source: Source) -> T | None:
        """Return the value, None when it was refused."""
        name = clip(str(key.value))
        if not isinstance(node, ScalarNode) or node.tag not in self.tags:
            what, hint = self._misread(node)
            source.refuse(node, f"{name}: {what}", self.allowed, render_given(node), hint)
            return None
        try:
            return self.parse(node.value)
        except Refused as refused:
            hint = refused.hint or source.suggest(node.value, self.words)
            source.refuse(node, f"{name}: {refused.what}", self.allowed, clip(repr(node.value)), hint)
            return None

    def render(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        return dict(self.schema)

    def _misread(self, node: Node) -> tuple[str, str]:
        """Return what is wrong with a node of another type, and a hint."""
        wanted = "text" if self.tags == TEXT else "a number"
        if is_tagged(node):
            return "a YAML tag is not allowed", ""
        if not isinstance(node, ScalarNode):
            return f"{wanted} is wanted", ""
        if node.tag == "null":
            return "nothing stands here", ""
        if self.tags == TEXT:
            return "YAML does not read this as text", _render_reading(node)
        quoted = node.style in {"'", '"'} and re.fullmatch(r"[0-9.]+", node.value)
        return f"{wanted} is wanted", "without quotes" if quoted else ""


def _render_reading(node: ScalarNode) -> str:
    """Return how YAML reads an unquoted value, and the way out."""
    reading = _WORDS.get(node.tag, "something else")
    if node.tag == "float" and re.fullmatch(r"[0-9]+\.[0-9]+", node.value) and str(float(node.value)) != node.value:
        reading = f"the number {float(node.value)}"
    return f'YAML reads {clip(node.value)} as {reading}: write "{clip(node.value)}"'


@dataclass(frozen=True)
class ListOf(Kind[tuple[Placed[T], ...]]):
    """A list of values of one kind."""

    item: Kind[T]
    noun: str  # what an item is
    at_least: int = 1
    twice: str = "the same twice"  # what is wrong with a value that stands there twice
    hint: str = ""  # for what is no list

    def read(self, node: Node, key: Node, source: Source) -> tuple[Placed[T], ...] | None:
        """Return the items that were not refused, with their places; None when it is no list of enough items."""
        memo = (id(self), id(node))
        if memo not in source.read:
            source.read[memo] = None  # what an alias inside itself gets
            source.read[memo] = self._read(node, key, source)
        return cast("tuple[Placed[T], ...] | None", source.read[memo])

    def render(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        unique = {"uniqueItems": True} if isinstance(self.item, Scalar) else {}
        return {"type": "array", "items": self.item.render(), "minItems": self.at_least} | unique

    def _read(self, node: Node, key: Node, source: Source) -> tuple[Placed[T], ...] | None:
        name = clip(str(key.value))
        allowed = f"[{self.noun}, …]" + (f", at least {self.at_least}" if self.at_least else "")
        if not isinstance(node, SequenceNode) or is_tagged(node):
            source.refuse(node, f"{name}: a list is wanted", allowed, render_given(node), self.hint)
            return None
        nodes: list[Node] = node.value
        if len(nodes) < self.at_least:
            source.refuse(node, f"{name}: the list is too short", allowed, str(len(nodes)))
            return None
        found = []
        seen: set[T] = set()
        for child in nodes:
            value = self.item.read(child, key, source)
            if value is None:
                continue
            if isinstance(self.item, Scalar) and value in seen:
                source.refuse(child, f"{name}: {self.twice}", given=render_given(child))
            seen.add(value)
            found.append(Placed(value, child))
        return tuple(found)


@dataclass(frozen=True)
class AllOr(Kind[str | T]):
    """The word `all`, or something else."""

    other: Kind[T]
    allowed: str

    def read(self, node: Node, key: Node, source: Source) -> str | T | None:
        """Return "all" or the other value, None when problems were noted."""
        if not isinstance(node, ScalarNode):
            return self.other.read(node, key, source)
        if (node.tag, node.value) == ("str", ALL):
            return ALL
        hint = source.suggest(node.value, (ALL,))
        source.refuse(node, f"{clip(str(key.value))}: unknown word", self.allowed, render_given(node), hint)
        return None

    def render(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        return {"anyOf": [{"const": ALL}, self.other.render()]}
