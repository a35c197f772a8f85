"""The table of bad configuration files: tests/data/config_problems.yaml."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "data" / "config_problems.yaml").read_text("utf-8"))
VALID: str = TABLE["valid"]


@dataclass(frozen=True, slots=True)
class Bad:
    """One row of the table: a bad file, and the messages about it."""

    name: str
    text: str
    message: str
    schema: bool


def read_rows() -> list[Bad]:
    """Return the rows. Each change must apply exactly once."""
    rows = []
    for row in TABLE["problems"]:
        text = row.get("text")
        if text is None:
            assert VALID.count(row["old"]) == 1, row["name"]
            text = VALID.replace(row["old"], row["new"])
        rows.append(Bad(row["name"], text, row["message"].removesuffix("\n"), row["schema"]))
    return rows


ROWS = read_rows()
