"""Print the table of metrics into docs/web.md: `python -m tests.docs.metrics_table`."""

from pathlib import Path

from wgmqtt.web.metrics import DECLARED, Declared

PAGE = Path(__file__).parents[2] / "docs" / "web.md"
BEGIN = (
    "<!-- The table down to END is written by `python -m tests.docs.metrics_table` from wgmqtt/web/metrics.py. -->\n"
)
END = "<!-- END -->\n"


def render_page(page: str) -> str:
    """Return the page with a new table between its two markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = ["| metric | type | meaning |", "|---|---|---|", *map(_row, DECLARED)]
    return before + BEGIN + "\n" + "\n".join(lines) + "\n\n" + END + after


def _row(metric: Declared) -> str:
    labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
    values = f": {metric.values}" if metric.values else ""
    return f"| `{metric.name}{labels}` | {metric.kind} | {metric.help}{values} |"


if __name__ == "__main__":
    PAGE.write_text(render_page(PAGE.read_text()))
