"""The commands and arguments of each RouterOS version, as the tree that routeros-lsp's command checker reads.

There are two sources. `data/schema.json` lists the names that the console of each version from 7.12 to 7.24 lists, for
the menus that the scripts use (`data/manual.json` adds a few). routeros-lsp's own database (7.21.4, without the package
iot) adds how many unnamed arguments a command takes, which are required and which are flags; it is also the only source
for all other menus, none of which the emulator implements.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from routeros_lsp.schema.schema import NodeInfo, Schema

from lab.routeros.data import SCHEMAS, VALUES
from lab.routeros.versions import parse_version

# The standard verbs of an item menu: the console shows the same argument counts in every menu.
_MODEL_MENU = ("interface", "wireguard", "peers")


def _exists(entry: dict[str, Any], version: tuple[int, ...]) -> bool:
    since, until = entry.get("since"), entry.get("until")
    if since and version < parse_version(since):
        return False
    return not (until and version > parse_version(until))


def split_path(path: str) -> tuple[str, ...]:
    """Return the names of `/iot/mqtt/publish` or `:put`."""
    return (path[1:],) if path.startswith(":") else tuple(path.strip("/").split("/"))


@cache
def _listed() -> dict[str, dict[str, Any]]:
    commands: dict[str, dict[str, Any]] = {}
    for file in SCHEMAS:
        commands |= json.loads(file.read_text("utf-8"))["commands"]
    return commands


@cache
def _bundled() -> NodeInfo:
    schema = Schema.bundled()
    assert schema is not None
    return schema.root


def _node(root: NodeInfo, path: Iterable[str]) -> NodeInfo | None:
    node: NodeInfo | None = root
    for name in path:
        node = node.get("c", {}).get(name) if node is not None else None
    return node


def _command(path: tuple[str, ...], entry: dict[str, Any], version: tuple[int, ...]) -> NodeInfo:
    known = _node(_bundled(), path)
    model = known or _node(_bundled(), (*_MODEL_MENU, path[-1])) or {}
    flags = {name for name, argument in model.get("a", {}).items() if argument.get("f")}
    arguments = {name: argument for name, argument in entry["args"].items() if _exists(argument, version)}
    node: NodeInfo = {"k": 1, "a": {name: {"f": 1} if name in flags else {} for name in arguments}}
    if "u" in model:
        node["u"] = model["u"]
    required = [name for name in (known or {}).get("r", []) if name in arguments]
    if not known and path[-1] in {"set", "get", "remove"}:
        required = [name for name in model.get("r", []) if name in arguments]
    if required:
        node["r"] = required
    return node


@cache
def schema_for(version: str, absent: frozenset[str] = frozenset()) -> Schema:
    """Return the command tree of one version, without the menus in `absent` (`/iot`: the package is not installed).

    Raises:
        ValueError: the version is not written as numbers.
    """
    numbers = parse_version(version)
    root = copy.deepcopy(_bundled())
    for path_text in _listed():
        *menu, verb = split_path(path_text)
        parent = _node(root, menu)
        if parent is not None:
            parent.get("c", {}).pop(verb, None)
    for path_text, entry in _listed().items():
        if not _exists(entry, numbers) or any((path_text + "/").startswith(menu + "/") for menu in absent):
            continue
        path = split_path(path_text)
        node = root
        for name in path[:-1]:
            node = node.setdefault("c", {}).setdefault(name, {})
        node.setdefault("c", {})[path[-1]] = _command(path, entry, numbers)
    return Schema({"format": 1, "version": version, "root": root})


@cache
def missing_values(version: str) -> Mapping[tuple[tuple[str, ...], str], frozenset[str]]:
    """Return the values of enumerations that a version does not have yet, by command and argument."""
    numbers = parse_version(version)
    listed = json.loads(VALUES.read_text("utf-8"))["commands"]
    return {
        (split_path(command), argument): frozenset(v for v, entry in values.items() if not _exists(entry, numbers))
        for command, arguments in listed.items()
        for argument, values in arguments.items()
    }


def property_names(schema: Schema, menu: str) -> frozenset[str]:
    """Return the names that `add` and `set` of a menu take, which are its properties."""
    node = _node(schema.root, split_path(menu)) or {}
    commands = [node.get("c", {}).get(verb, {}) for verb in ("add", "set")]
    return frozenset(name for command in commands for name in command.get("a", {}))


def is_listed(menu: str, verb: str) -> bool:
    """Return whether `schema.json` covers the command in any version; only then are its names known."""
    return f"{menu}/{verb}" in _listed() or (menu == "" and f":{verb}" in _listed())
