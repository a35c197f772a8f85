"""The JSON Schema for editors: it accepts what is right, and refuses each bad row that a schema can see."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.config.config_rows import ROWS, VALID, Bad
from wgmqtt.config.jsonschema import render_schema

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(render_schema())
EDITOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def test_render_schema_is_a_schema_of_its_draft() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_render_schema_file_in_docs_is_current() -> None:
    """Mend it with: wgmqtt check-config --schema > docs/config.schema.json."""
    assert (ROOT / "docs" / "config.schema.json").read_text("utf-8") == render_schema()


@pytest.mark.parametrize("text", [VALID, (ROOT / "config.example.yaml").read_text("utf-8")], ids=["valid", "example"])
def test_render_schema_right_file_is_accepted(text: str) -> None:
    EDITOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_render_schema_bad_file_is_refused_if_the_row_says_so(row: Bad) -> None:
    """What no YAML reader loads, an editor refuses before it looks at the schema."""
    try:
        value = yaml.safe_load(row.text)
    except (yaml.YAMLError, UnicodeEncodeError, RecursionError):
        assert not row.schema
        return
    assert EDITOR.is_valid(value) is not row.schema
