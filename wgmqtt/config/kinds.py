"""The kinds of values: how each is read from its node, what is expected in words, and its JSON Schema."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from wgmqtt.config.nodes import Block, Node, Scalar, render_got
from wgmqtt.errors import WgmqttError, invalid
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
    keys: Mapping[str, "Key"] = field(default_factory=dict)  # of a section, whose `json` lacks them
    is_part: bool = False  # these keys may be spread over router_defaults and routers


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
        self.example = self.example or str(self.default or "")


def single(
    parse: Callable[[str], object], expected: str, json: Json | str, *, tags: str = "str", words: tuple[str, ...] = ()
) -> Kind:
    """Return the kind of a value that `parse` accepts. YAML may read it as one of `tags`; `json` may be a pattern."""

    def read(node: Node, key: Scalar, source: Source) -> object:
        try:
            return parse(_text_of(node, tags.split(), words))
        except WgmqttError as error:
            problem = error.problems[0]
            hint = problem.hint or did_you_mean(source.nearest(node.text, words) if isinstance(node, Scalar) else "")
            source.reject(node.at, f"{key.text}: {problem.what}", expected, render_got(node), hint)
            return None

    return Kind(read, expected, {"type": "string", "pattern": f"^({json})$"} if isinstance(json, str) else json)


def text(pattern: str, expected: str, what: str) -> Kind:
    """Return the kind of a text that matches `pattern`; `what` says what is wrong with another."""

    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise invalid(what, f"did you mean {value.lower()}?" if re.fullmatch(pattern, value.lower()) else "")
        return value

    return single(parse, expected, pattern)


def choice(*words: str, expected: str = "") -> Kind:
    """Return the kind of a text that is one of `words`. YAML reads `off` as false, which is the same here."""

    def parse(value: str) -> str:
        if value not in words:
            raise invalid("unknown word")
        return value

    json = {"enum": [*words, *([False] if "off" in words else [])]}
    return single(parse, expected or f"one of {', '.join(words)}", json, words=words)


def number(low: float, high: float, unit: str) -> Kind:
    """Return the kind of a number from `low` to `high`."""

    def parse(value: str) -> float:
        if not re.fullmatch(r"(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?", value) or not low <= float(value) <= high:
            raise invalid("out of range")
        return float(value)

    limits = {"type": "number", "minimum": low, "maximum": high}
    return single(parse, f"{low} to {high} {unit}", limits, tags="int float")


def _text_of(node: Node, tags: list[str], words: tuple[str, ...]) -> str:
    """Return the text of a single value, if YAML reads it as the right type: editors then see the same."""
    if isinstance(node, Block):
        raise invalid("wrong type")
    resolved: str = _YAML.resolve(ScalarNode, node.text, (node.is_plain, True))  # type: ignore[no-untyped-call]
    tag = resolved.rpartition(":")[2]
    if tag == "null":
        raise invalid("value is empty")
    if tag in tags or words:
        return node.text
    if "str" not in tags:
        is_quoted = not node.is_plain and re.fullmatch(r"[0-9.]+", node.text)
        raise invalid("not a number", "write it without quotes" if is_quoted else "")
    meaning = _READINGS.get(tag, "something else")
    if re.fullmatch(r"[0-9]+\.[0-9]+", node.text) and str(float(node.text)) != node.text:
        meaning = f"the number {float(node.text)}"
    raise invalid("not text", f'YAML reads it as {meaning}: write "{render_got(node)}" in quotes')


def list_of(  # noqa: PLR0913 - all that a list may be
    item: Kind, expected: str, *, at_least: int = 0, twice: str = "", word: str = "", is_placed: bool = False
) -> Kind:
    """Return the kind of a list, or `word`. `twice` says what is wrong with equal items; `is_placed` keeps nodes."""
    instead = choice(word, expected=expected) if word else None

    def read(node: Node, key: Scalar, source: Source) -> object:
        if instead and isinstance(node, Scalar):
            return instead.read(node, key, source)
        if isinstance(node, Scalar) or node.is_mapping:
            _reject_type(node, key, expected, source)
            return None
        if len(node.children) < at_least:
            source.reject(node.at, f"{key.text}: list too short", f"{expected} with at least {at_least}")
            return None
        read = [(value, child) for child in node.children if (value := item.read(child, key, source)) is not None]
        seen: set[object] = set()
        for value, child in read if twice else ():
            if value in seen:
                source.reject(child.at, f"{key.text}: {twice}", got=render_got(child))
            seen.add(value)
        return tuple(child if is_placed else value for value, child in read)

    json = {"type": "array", "items": item.json, "minItems": at_least} | ({"uniqueItems": True} if twice else {})
    return Kind(read, expected, {"anyOf": [instead.json, json]} if instead else json)


def _reject_type(node: Node, key: Scalar, expected: str, source: Source) -> None:
    """Note that `node` is neither a list nor a mapping, as it should be."""
    is_empty = isinstance(node, Scalar) and node.is_plain and not node.text
    source.reject(node.at, f"{key.text}: {'value is empty' if is_empty else 'wrong type'}", expected, render_got(node))


@dataclass(frozen=True, slots=True)
class Fields:
    """What a section holds: the value of each key, None if it is invalid, and the index at which it is written."""

    values: dict[str, object] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)

    def part(self, name: str) -> "Fields":
        """Return the fields of a section in this one; empty if it is absent or invalid."""
        part = self.values.get(name)
        return part if isinstance(part, Fields) else Fields()


def section(
    declared: type, make: Callable[..., object] | None = None, *, is_defaults: bool = False, is_part: bool = False
) -> Kind:
    """Return the kind of a mapping with the keys that a class declares, read as Fields or as what `make` returns.

    `is_defaults` takes only keys that may be shared, and requires none. `is_part` leaves `complete` to the caller.
    """
    declared_keys = [key for key in vars(declared).values() if isinstance(key, Key)]
    keys = {key.name: key for key in declared_keys if key.shared or not is_defaults}
    expected = f"keys {', '.join(keys)}"

    def read(node: Node, key: Scalar, source: Source) -> object:
        pairs = _read_pairs(node, key, expected, source)
        if pairs is None:
            return None
        fields = Fields()
        for name, child in pairs:
            if name.text in keys:
                fields.at[name.text] = child.at
                fields.values[name.text] = keys[name.text].kind.read(child, name, source)
            elif name.text in (known.name for known in declared_keys):
                source.reject(name.at, f"{name.text}: each router has its own", expected)
            else:
                meant = source.nearest(name.text, keys)
                source.reject(name.at, f"{render_got(name)}: unknown key", expected, hint=did_you_mean(meant))
                fields.at.setdefault(meant, name.at)  # so that the key that was meant is not missing too
        if not (is_defaults or is_part):
            complete(keys, fields, key.at, source)
        return fields if make is None else make(**fields.values)

    return Kind(read, expected, {"type": "object", "additionalProperties": False}, keys, is_defaults or is_part)


def complete(keys: Mapping[str, Key], fields: Fields, at: int, source: Source) -> None:
    """Add defaults, and note keys that are missing or do not go together; `at` is the place of the section."""
    for name, key in keys.items():
        is_there, has_other = name in fields.at, key.either in fields.at
        if key.required or key.default is not None:
            fields.values.setdefault(name, key.default)
        if key.required and not is_there:
            source.reject(at, f"{name} is missing", hint=key.about)
        if key.needs and is_there and key.needs not in fields.at:
            source.reject(fields.at[name], f"{name} has no effect without {key.needs}")
        if key.either and is_there and has_other:
            source.reject(fields.at[name], f"{name} cannot be combined with {key.either}")
        if key.either and not is_there and not has_other:
            source.reject(at, f"{key.either} or {name} is missing")


def named(name_kind: Kind, each: Kind) -> Kind:
    """Return the kind of a mapping of names, at least one, with a section each. It is read as pairs."""
    expected = "names, with keys below each"

    def read(node: Node, key: Scalar, source: Source) -> object:
        pairs = _read_pairs(node, key, expected, source)
        if pairs == []:
            source.reject(key.at, f"{key.text}: value is empty", expected)
        read = [(name, each.read(child, name, source)) for name, child in pairs or ()]
        return tuple(pair for pair in read if name_kind.read(pair[0], key, source) is not None) or None

    json = {"type": "object", "propertyNames": name_kind.json, "minProperties": 1}
    return Kind(read, expected, json, each.keys, is_part=True)


def _read_pairs(node: Node, key: Scalar, expected: str, source: Source) -> list[tuple[Scalar, Node]] | None:
    """Return the keys of a mapping, each once, with the nodes of their values; None if it is no mapping."""
    if isinstance(node, Scalar) or not node.is_mapping:
        _reject_type(node, key, expected, source)
        return None
    pairs: dict[str, tuple[Scalar, Node]] = {}
    for name, value in zip(node.children[::2], node.children[1::2], strict=True):
        if isinstance(name, Block):
            source.reject(name.at, f"{key.text}: wrong type of key", "text", render_got(name))
        elif name.text in pairs:
            first = source.line_of(pairs[name.text][0].at)
            source.reject(name.at, f"{render_got(name)}: duplicate key, first on line {first}")
        else:
            pairs[name.text] = (name, value)
    return list(pairs.values())
