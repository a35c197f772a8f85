"""Print the tables of log lines into docs/operations.md: `python -m tests.docs.fault_table`."""

from collections.abc import Iterator
from pathlib import Path

from wgmqtt.logline import Phrase
from wgmqtt.phrases import SECTIONS, Case, Section

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN = "<!-- The tables down to END are written by `python -m tests.docs.fault_table` from wgmqtt/phrases.py. -->\n"
END = "<!-- END -->\n"


def render_tables() -> str:
    """Return the tables of all sections, in Markdown."""
    return "\n".join(f"### {section.title}\n\n{_table(section)}" for section in SECTIONS)


def render_page(page: str) -> str:
    """Return the page with new tables between its two markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{render_tables()}\n{END}{after}"


def rows(section: Section) -> Iterator[tuple[str, str, str]]:
    """Yield the cells of each row: what happened, what the daemon does, the log line."""
    for row in section.rows:
        yield row.happened, row.reaction, _line(row)


def _table(section: Section) -> str:
    lines = [("what happened", "what the daemon does", "log line"), ("---",) * 3, *rows(section)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines).replace("| --- | --- | --- |", "|---|---|---|")


def _line(row: Phrase | Case) -> str:
    phrase = row.phrase if isinstance(row, Case) else row
    if phrase is None:
        return row.note if isinstance(row, Case) else ""
    text = f"**`{phrase.text}`**" if phrase.level == "warning" else f"`{phrase.text}`"
    if isinstance(row, Case):
        return f"{text} {row.note}".strip()
    level = " (debug)" if phrase.level == "debug" else ""
    return " ".join([text, *(f"`{field}=`" for field in phrase.fields)]) + level


if __name__ == "__main__":
    PAGE.write_text(render_page(PAGE.read_text()))
