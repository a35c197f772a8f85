"""Mappings: sections, whose keys are declared, and names with a section each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from wgmqtt.config.kinds import Json, Key, Kind, type_problem
from wgmqtt.config.nodes import Block, Node, Scalar, render_got
from wgmqtt.problems import Source, did_you_mean


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
    """Return the kind of a mapping with the keys that a class declares. It is read as Fields, or as `make` returns.

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

    own = [] if is_defaults else [key for key in declared_keys if not (is_part and key.shared)]
    return Kind(read, expected, _json(keys, own, [] if is_part else own), keys)


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
        found = [
            (name, name_kind.read(name, key, source), each.read(child, name, source)) for name, child in pairs or ()
        ]
        return tuple((name, fields) for name, valid, fields in found if valid is not None) or None

    json = {"type": "object", "propertyNames": name_kind.json, "additionalProperties": each.json, "minProperties": 1}
    return Kind(read, expected, json, each.keys)


def _read_pairs(node: Node, key: Scalar, expected: str, source: Source) -> list[tuple[Scalar, Node]] | None:
    """Return the keys of a mapping, each once, with the nodes of their values; None if it is no mapping."""
    if isinstance(node, Scalar) or not node.is_mapping:
        source.reject(node.at, f"{key.text}: {type_problem(node)}", expected, render_got(node))
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


def _json(keys: Mapping[str, Key], required: Iterable[Key], paired: Iterable[Key]) -> Json:
    properties: dict[str, object] = {}
    for name, key in keys.items():
        default = list(key.default) if isinstance(key.default, tuple) else key.default
        shown = {} if default is None else {"default": default}
        properties[name] = {"description": key.about, **key.kind.json, **shown}
    json: dict[str, object] = {"type": "object", "additionalProperties": False, "properties": properties}
    json["required"] = [key.name for key in required if key.required]
    json["dependentRequired"] = {key.name: [key.needs] for key in paired if key.needs}
    for key in (key for key in paired if key.either):
        json["oneOf"] = [{"required": [key.either]}, {"required": [key.name]}]
    return {word: rule for word, rule in json.items() if rule not in ([], {})}
