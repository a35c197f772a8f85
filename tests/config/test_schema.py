"""The JSON Schema and the reference page: both are current; the schema rejects what a schema can see."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.config.config_rows import ROWS, VALID, Bad
from wgmqtt.cli.reference import render_reference, render_schema
from wgmqtt.config.keys import ROOT
from wgmqtt.config.kinds import Key
from wgmqtt.config.nodes import Scalar, compose
from wgmqtt.problems import Source

FOLDER = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(render_schema())
EDITOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def test_render_schema_is_valid_for_its_draft() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_render_schema_file_in_docs_is_current() -> None:
    """Update it with: wgmqtt check-config --schema > docs/config.schema.json."""
    assert (FOLDER / "docs" / "config.schema.json").read_text("utf-8") == render_schema()


def test_render_reference_file_in_docs_is_current() -> None:
    """Update it with: wgmqtt check-config --reference > docs/configuration.md."""
    assert (FOLDER / "docs" / "configuration.md").read_text("utf-8") == render_reference()


def all_keys(keys: Mapping[str, Key], path: str = "") -> Iterator[tuple[str, Key]]:
    for name, key in keys.items():
        yield f"{path}{name}", key
        yield from all_keys(key.kind.keys, f"{path}{name}.")


KEYS = dict(all_keys(ROOT.keys))


@pytest.mark.parametrize("path", KEYS)
def test_key_is_described_and_its_example_is_valid(path: str) -> None:
    key = KEYS[path]
    assert key.about
    assert bool(key.example) is not bool(key.kind.keys)
    if key.example:
        source = Source(key.example, "example")
        assert key.kind.read(compose(source), Scalar(0, path), source) is not None
        assert source.problems == []


@pytest.mark.parametrize(
    ("defaults", "is_valid"),
    [("{site: office, routeros: '7.20'}", True), ("{site: office}", False), ("{routeros: '7.20'}", False)],
)
def test_render_schema_takes_a_routers_missing_keys_from_router_defaults(defaults: str, *, is_valid: bool) -> None:
    text = VALID.replace('    routeros: "7.17"\n', "    lan: 192.168.88.1:13231\n") + f"router_defaults: {defaults}\n"
    assert EDITOR.is_valid(yaml.safe_load(text)) is is_valid


@pytest.mark.parametrize("text", [VALID, (FOLDER / "config.example.yaml").read_text("utf-8")], ids=["valid", "example"])
def test_render_schema_accepts_valid_files(text: str) -> None:
    EDITOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_render_schema_rejects_a_bad_file_if_the_row_says_so(row: Bad) -> None:
    """What no YAML parser loads, an editor rejects without the schema."""
    try:
        value = yaml.safe_load(row.text)
    except (yaml.YAMLError, UnicodeEncodeError, RecursionError):
        assert not row.schema
        return
    assert EDITOR.is_valid(value) is not row.schema
