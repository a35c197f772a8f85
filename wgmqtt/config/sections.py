"""Mappings of a configuration: sections with known keys, and names with a section each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeGuard, TypeVar, cast

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from wgmqtt.config.kinds import Kind, Placed, Scalar
from wgmqtt.config.nodes import MAX_DEPTH, Source, clip, is_tagged, pairs_of, render_given

T = TypeVar("T")
MAX_MERGED = 1_000_000  # keys that `<<` brings in, in one file


@dataclass(frozen=True)
class Key(Generic[T]):
    """A key of a section, and what stands there. Without a default, and not required: it may be absent."""

    name: str
    kind: Kind[T]
    about: str
    default: T | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    """What was read of one section."""

    found: Mapping[str, Placed[Any]]
    refused: frozenset[str] = frozenset()

    def find(self, key: Key[T]) -> Placed[T] | None:
        """Return the value and its place, None when it is absent or was refused."""
        return self.found.get(key.name)

    def known(self, key: Key[T], otherwise: T) -> T:
        """Return the value, or `otherwise` when it is absent or was refused."""
        placed = self.find(key)
        return otherwise if placed is None else placed.value

    def get(self, key: Key[T]) -> T:
        """Return the value or the default. Only for a section without problems."""
        placed = self.found.get(key.name)
        return cast("T", key.default if placed is None else placed.value)


@dataclass(frozen=True)
class Section(Kind[Values]):
    """A mapping with known keys, and what they demand of each other."""

    keys: tuple[Key[Any], ...]
    one_of: tuple[str, ...] = ()  # one of these must be there
    needs: tuple[tuple[str, str], ...] = ()  # the first is of no use without the second
    excludes: tuple[tuple[str, str], ...] = ()  # the two cannot stand together

    def read(self, node: Node, key: Node, source: Source) -> Values | None:
        """Return what was not refused; None when it is no mapping."""
        memo = (id(self), id(node))
        if memo not in source.read:
            source.read[memo] = self._read(node, key, source)
        return cast("Values | None", source.read[memo])

    def render(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        schema: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {key.name: _render_key(key) for key in self.keys},
            "required": [key.name for key in self.keys if key.required],
        }
        if self.one_of:
            schema["anyOf"] = [{"required": [name]} for name in self.one_of]
        if self.needs:
            schema["dependentRequired"] = {first: [second] for first, second in self.needs}
        if self.excludes:
            schema["allOf"] = [{"not": {"required": list(pair)}} for pair in self.excludes]
        return schema

    def _read(self, node: Node, key: Node, source: Source) -> Values | None:
        names = [known.name for known in self.keys]
        if not is_mapping(node, key, source, ", ".join(names)):
            return None
        kinds = {known.name: known.kind for known in self.keys}
        found: dict[str, Placed[Any]] = {}
        places: dict[str, Node] = {}
        for name, name_node, value_node in _named_pairs(node, source):
            if name not in kinds:
                meant = source.nearest(name, names)
                hint = f"did you mean {meant}?" if meant else ""
                source.refuse(name_node, "unknown key", ", ".join(names), clip(name), hint)
                places.setdefault(meant, name_node)  # one mistake is one problem: that key is not missing too
                continue
            places[name] = name_node
            value = kinds[name].read(value_node, name_node, source)
            if value is not None:
                found[name] = Placed(value, value_node)
        self._check_together(places, key, source)
        return Values(found, frozenset(places) - frozenset(found))

    def _check_together(self, places: Mapping[str, Node], key: Node, source: Source) -> None:
        for known in self.keys:
            if known.required and known.name not in places:
                source.refuse(key, f"{known.name} is missing", hint=known.about)
        if self.one_of and not any(name in places for name in self.one_of):
            source.refuse(key, f"{' or '.join(self.one_of)} is missing")
        for first, second in self.needs:
            if first in places and second not in places:
                source.refuse(places[first], f"{first} is of no use without {second}")
        for first, second in self.excludes:
            if first in places and second in places:
                source.refuse(places[second], f"{second} cannot stand beside {first}")


@dataclass(frozen=True)
class Named(Kind[tuple[tuple[Placed[str], Values], ...]]):
    """A mapping of names, each with a section."""

    name: Scalar[str]
    section: Section

    def read(self, node: Node, key: Node, source: Source) -> tuple[tuple[Placed[str], Values], ...] | None:
        """Return the names with what was not refused of their sections; None when it is no mapping or empty."""
        if not is_mapping(node, key, source, "a name, and keys beneath it"):
            return None
        if not node.value:
            source.refuse(key, f"{clip(str(key.value))}: at least one is wanted", "a name, and keys beneath it")
            return None
        found = []
        for _, name_node, value_node in _named_pairs(node, source):
            name = self.name.read(name_node, key, source)
            values = self.section.read(value_node, name_node, source)
            if name is not None:
                found.append((Placed(name, name_node), values or Values({})))
        return tuple(found)

    def render(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        return {
            "type": "object",
            "propertyNames": self.name.render(),
            "additionalProperties": self.section.render(),
            "minProperties": 1,
        }


def is_mapping(node: Node, key: Node, source: Source, allowed: str) -> TypeGuard[MappingNode]:
    """Return whether `node` is a mapping, and note it when it is not."""
    if isinstance(node, MappingNode) and not is_tagged(node):
        return True
    name = "the file" if key is node else clip(str(key.value))
    source.refuse(node, f"{name}: keys and values are wanted", allowed, render_given(node))
    return False


def _named_pairs(node: MappingNode, source: Source) -> list[tuple[str, Node, Node]]:
    """Return the keys of a mapping, each once, as text with their nodes; a second one of the same name is refused."""
    named: dict[str, tuple[str, Node, Node]] = {}
    for key, value in pairs_of(node):
        if not isinstance(key, ScalarNode) or is_tagged(key):
            source.refuse(key, "a key is plain text", given=render_given(key))
        elif key.tag == "merge":
            continue
        elif key.value in named:
            first = source.line_of(named[key.value][1])
            source.refuse(key, f"this key stands in line {first} already", given=clip(key.value))
        else:
            named[key.value] = (key.value, key, value)
    for name, key, value in _merged_pairs(node, source):
        named.setdefault(name, (name, key, value))
    return list(named.values())


def _merged_pairs(node: MappingNode, source: Source) -> list[tuple[str, Node, Node]]:
    """Return what `<<` brings in (https://yaml.org/type/merge.html): of two sources with one key the first wins."""
    merged: list[tuple[str, Node, Node]] = []
    for key, value in pairs_of(node):
        if key.tag != "merge":
            continue
        whole = isinstance(value, SequenceNode) and not is_tagged(value)
        parts: list[Node] = value.value if whole else [value]
        for part in parts:
            if not isinstance(part, MappingNode) or is_tagged(part):
                source.refuse(part, "<<: keys and values of another place are wanted", "*NAME", render_given(part))
                continue
            if part is node:
                source.refuse(key, "<<: a place cannot be merged into itself")
                continue
            if source.merging == MAX_DEPTH:
                source.refuse(key, "<<: merged through too many places", str(MAX_DEPTH))
                continue
            pairs = _memo_pairs(part, source)
            source.merged += len(pairs)
            if source.merged > MAX_MERGED:
                source.refuse(key, "<<: too many keys are merged", f"{MAX_MERGED} in a file")
                return []
            merged += pairs
    return merged


def _memo_pairs(part: MappingNode, source: Source) -> list[tuple[str, Node, Node]]:
    """Return the named pairs of a mapping that is merged into others, read once."""
    memo = (0, id(part))
    if memo not in source.read:
        source.read[memo] = []  # what a mapping gets that is merged into itself
        source.merging += 1
        source.read[memo] = _named_pairs(part, source)
        source.merging -= 1
    return cast("list[tuple[str, Node, Node]]", source.read[memo])


def _render_key(key: Key[Any]) -> dict[str, Any]:
    schema = {"description": key.about} | key.kind.render()
    if key.default is not None:
        schema["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
    return schema
