"""The kinds of values: how each is read from its node, what is expected in words, and its JSON Schema."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from wgmqtt.config.nodes import Block, Node, Scalar, render_got
from wgmqtt.errors import Problem, WgmqttError
from wgmqtt.problems import Source, did_you_mean

Json = Mapping[str, object]
_YAML = Resolver()
_READINGS = {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date"}


@dataclass(frozen=True)
class Kind:
    """One kind of value. `read` gets a node and its key; it returns None after noting what is wrong."""

    read: Callable[[Node, Scalar, Source], object]
    expected: str
    json: Json
    keys: Mapping[str, "Key"] = field(default_factory=dict)  # of a section


@dataclass
class Key:
    """A key of a section, named like the attribute it is assigned to. Without a default it may be absent."""

    kind: Kind
    about: str
    example: str = ""
    default: object = None
    default_text: str = ""  # what applies without the key, where `default` alone does not say it
    required: bool = False
    needs: str = ""  # a key without which this one has no effect
    either: str = ""  # exactly one of this key and that one is required
    shared: bool = False  # a key of a router that router_defaults may have too
    name: str = ""

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name


def wrong(what: str, hint: str = "") -> WgmqttError:
    """Return the error of a value, which `single` completes with its place and what is expected."""
    return WgmqttError(Problem("", what, hint=hint))


def single(
    parse: Callable[[str], object], expected: str, json: Json, *, tags: str = "str", words: tuple[str, ...] = ()
) -> Kind:
    """Return the kind of a single value. `parse` raises WgmqttError; `tags` are the types as which YAML may read it."""

    def read(node: Node, key: Scalar, source: Source) -> object:
        try:
            return parse(_text_of(node, tags.split(), words))
        except WgmqttError as error:
            problem = error.problems[0]
            hint = problem.hint or did_you_mean(source.nearest(node.text, words) if isinstance(node, Scalar) else "")
            source.reject(node.at, f"{key.text}: {problem.what}", expected, render_got(node), hint)
            return None

    return Kind(read, expected, json)


def text(pattern: str, expected: str, what: str) -> Kind:
    """Return the kind of a text that matches `pattern`; `what` says what is wrong with another."""

    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise wrong(what, f"did you mean {value.lower()}?" if re.fullmatch(pattern, value.lower()) else "")
        return value

    return single(parse, expected, {"type": "string", "pattern": f"^({pattern})$"})


def choice(*words: str, expected: str = "") -> Kind:
    """Return the kind of a text that is one of `words`. YAML reads `off` as false, which is the same here."""

    def parse(value: str) -> str:
        if value not in words:
            raise wrong("unknown word")
        return value

    json = {"enum": [*words, *([False] if "off" in words else [])]}
    return single(parse, expected or f"one of {', '.join(words)}", json, words=words)


def number(low: float, high: float, unit: str) -> Kind:
    """Return the kind of a number from `low` to `high`."""

    def parse(value: str) -> float:
        if not re.fullmatch(r"(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?", value) or not low <= float(value) <= high:
            raise wrong("out of range")
        return float(value)

    json = {"type": "number", "minimum": low, "maximum": high}
    return single(parse, f"{low} to {high} {unit}", json, tags="int float")


def _yaml_tag(text: str) -> str:
    """Return the type as which YAML reads a plain text: str, int, null, …."""
    tag: str = _YAML.resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag.rpartition(":")[2]


def _text_of(node: Node, tags: list[str], words: tuple[str, ...]) -> str:
    """Return the text of a single value, if YAML reads it as the right type: editors then see the same."""
    if isinstance(node, Block):
        raise wrong("wrong type")
    tag = _yaml_tag(node.text) if node.is_plain else "str"
    if tag == "null":
        raise wrong("value is empty")
    if tag in tags or words:
        return node.text
    if "str" not in tags:
        is_quoted = not node.is_plain and re.fullmatch(r"[0-9.]+", node.text)
        raise wrong("not a number", "write it without quotes" if is_quoted else "")
    meaning = _READINGS.get(tag, "something else")
    if re.fullmatch(r"[0-9]+\.[0-9]+", node.text) and str(float(node.text)) != node.text:
        meaning = f"the number {float(node.text)}"
    raise wrong("not text", f'YAML reads it as {meaning}: write "{render_got(node)}" in quotes')


def list_of(item: Kind, expected: str = "a list", *, at_least: int = 0, twice: str = "") -> Kind:
    """Return the kind of a list, which is read as a tuple. `twice` says what is wrong with equal items, if that is."""

    def read(node: Node, key: Scalar, source: Source) -> tuple[object, ...] | None:
        if isinstance(node, Scalar) or node.is_mapping:
            source.reject(node.at, f"{key.text}: {type_problem(node)}", expected, render_got(node))
            return None
        if len(node.children) < at_least:
            source.reject(node.at, f"{key.text}: list too short", f"{expected} with at least {at_least}")
            return None
        values = [item.read(child, key, source) for child in node.children]
        seen: set[object] = set()
        for child, value in zip(node.children, values, strict=True) if twice else ():
            if value is not None and value in seen:
                source.reject(child.at, f"{key.text}: {twice}", got=render_got(child))
            seen.add(value)
        return tuple(value for value in values if value is not None)

    unique = {"uniqueItems": True} if twice else {}
    return Kind(read, expected, {"type": "array", "items": item.json, "minItems": at_least} | unique)


def placed(kind: Kind) -> Kind:
    """Return the kind that reads as the node of a single value, so that its place is known later."""

    def read(node: Node, key: Scalar, source: Source) -> Node | None:
        return None if kind.read(node, key, source) is None else node

    return Kind(read, kind.expected, kind.json)


def word_or(word: Kind, other: Kind) -> Kind:
    """Return the kind that is a word, or else another kind that is no single value."""

    def read(node: Node, key: Scalar, source: Source) -> object:
        return (word if isinstance(node, Scalar) else other).read(node, key, source)

    return Kind(read, word.expected, {"anyOf": [word.json, other.json]})


def type_problem(node: Node) -> str:
    """Return what is wrong with a node that is neither a list nor a mapping, as it should be."""
    return "value is empty" if isinstance(node, Scalar) and node.is_plain and not node.text else "wrong type"
