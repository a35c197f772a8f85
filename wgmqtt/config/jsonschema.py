"""The JSON Schema of the configuration, for editors: from the same table as the checks. Pure."""

import json

from wgmqtt.config.schema import ROOT

_HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "wgmqtt configuration",
    "description": "What a schema can see. wgmqtt check-config also sees what contradicts itself.",
}


def render_schema() -> str:
    """Return the schema as JSON text (draft 2020-12), two blanks an indent, with an end of line."""
    return json.dumps(_HEAD | ROOT.render(), indent=2, ensure_ascii=False) + "\n"
