"""The configuration's JSON Schema for editors and its reference page, both printed from the table of keys."""

import json
from collections.abc import Iterator, Mapping

from wgmqtt.config.keys import ROOT, ROUTER
from wgmqtt.config.kinds import Key, Kind

_SCHEMA_HEAD: dict[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "wgmqtt configuration",
    "description": "What a schema can check; wgmqtt check-config also finds contradictions.",
}
_PAGE_HEAD = """# Configuration

All keys of the configuration file, which is `/etc/wgmqtt/config.yaml` unless `-c FILE` names another one.
`wgmqtt check-config` reports all mistakes in it at once; `wgmqtt check-config --schema` prints a JSON Schema for your
editor ([config.schema.json](config.schema.json)). This page is printed by `wgmqtt check-config --reference`.

The file is YAML without tags, anchors, aliases and merges. Passwords are in files of their own, never here.
"""


def render_schema() -> str:
    """Return the JSON Schema (draft 2020-12) with an indent of two spaces."""
    rules = [rule for key in ROUTER.keys.values() for rule in _shared_rules(key)]
    return json.dumps(_SCHEMA_HEAD | _schema_of(ROOT) | {"allOf": rules}, indent=2, ensure_ascii=False) + "\n"


def _schema_of(kind: Kind) -> dict[str, object]:
    if not kind.keys:
        return dict(kind.json)
    if "propertyNames" in kind.json:
        return {**kind.json, "additionalProperties": _schema_of(ROUTER)}
    properties = {name: {"description": key.about} | _schema_of(key.kind) for name, key in kind.keys.items()}
    for name, key in kind.keys.items():
        if key.default is not None:
            properties[name]["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
    schema: dict[str, object] = {**kind.json, "properties": properties}
    schema["required"] = [name for name, key in kind.keys.items() if key.required and not (kind.is_part and key.shared)]
    if not kind.is_part:
        schema["dependentRequired"] = {name: [key.needs] for name, key in kind.keys.items() if key.needs}
    for name, key in kind.keys.items():
        if key.either:
            schema["oneOf"] = [{"required": [key.either]}, {"required": [name]}]
    return schema


def render_reference() -> str:
    """Return the reference page in Markdown."""
    return _PAGE_HEAD + "".join(_render_section("", "the top level of the file", ROOT.keys))


def _shared_rules(key: Key) -> Iterator[dict[str, object]]:
    """Yield what a schema demands of a key that is either in router_defaults or in each router."""
    if key.required and key.shared:
        yield _in_defaults_or(key.name, {"required": [key.name]})
    if key.needs and ROUTER.keys[key.needs].shared:
        yield _in_defaults_or(key.needs, {"dependentRequired": {key.name: [key.needs]}})


def _in_defaults_or(name: str, demand: Mapping[str, object]) -> dict[str, object]:
    in_defaults = {"required": ["router_defaults"], "properties": {"router_defaults": {"required": [name]}}}
    return {"anyOf": [in_defaults, {"properties": {"routers": {"additionalProperties": demand}}}]}


def _render_section(title: str, about: str, keys: Mapping[str, Key]) -> Iterator[str]:
    """Yield the table of the keys of a section, and those of the sections in it."""
    yield f"\n## {title or 'Top level'}\n\n{about[0].upper()}{about[1:]}.\n\n"
    yield "| key | meaning | value | default | example |\n|---|---|---|---|---|\n"
    inside = {name: f"{title}.{name}".lstrip(".") for name, key in keys.items() if key.kind.keys}
    inside |= {"routers": "routers.NAME"} if "routers" in inside else {}
    for name, key in keys.items():
        example = f"`{name}: {key.example}`" if key.example else ""
        anchor = inside.get(name, "").lower().replace(".", "")
        value = f"see [{inside[name]}](#{anchor})" if anchor else key.kind.expected
        meaning = key.about + (f" (only with `{key.needs}`)" if key.needs else "")
        cells = (f"`{name}`", meaning, value, _render_default(key), example)
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"
    for name, section in inside.items():
        yield from _render_section(section, keys[name].about, keys[name].kind.keys)


def _render_default(key: Key) -> str:
    if key.required:
        return "required, here or in `router_defaults`" if key.shared else "required"
    if key.default is None:
        return key.default_text or "none"
    return "`[]`" if key.default == () else f"`{key.default}`"
