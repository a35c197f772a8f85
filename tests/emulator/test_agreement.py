"""The comparison of the emulator's verdicts with those of RouterOS."""

from pathlib import Path

import pytest

from lab.routeros.agreement import verdicts

REJECTED = "syntax error (line 1 column 6)\n"
PARSED = "/;(evl /putmessage=1);(<%% bad command name nosuch (line 2 column 1) nosuch)"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with four scripts, three of which RouterOS judged."""
    for name, source, answer in (
        ("good", ":put 1\nnosuch\n", PARSED),
        ("bad", ":put (\n", REJECTED),
        ("strange", ":put 2\n", REJECTED),
    ):
        script = tmp_path / "forum" / f"{name}.rsc"
        script.parent.mkdir(exist_ok=True)
        script.write_text(source)
        script.with_name(f"{name}.rsc.v7.22.1.parseil").write_text(answer)
    (tmp_path / "forum" / "unjudged.rsc").write_text(":put 3\n")
    return tmp_path


def test_verdicts_compare_acceptance_of_each_judged_script(directory: Path) -> None:
    found = {Path(verdict.name).stem: verdict for verdict in verdicts(directory, "7.22.1", frozenset())}
    assert {name: verdict.agrees for name, verdict in found.items()} == {"good": True, "bad": True, "strange": False}
    assert (found["strange"].routeros, found["strange"].emulator) == (REJECTED.strip(), "")


def test_verdicts_of_another_version_are_none(directory: Path) -> None:
    assert not list(verdicts(directory, "7.20.8", frozenset()))
