"""lab/fuzz.sh prints a count, can repeat one table, and uses every version and switch."""

import re
import subprocess
from pathlib import Path

from lab.fuzz.runner import LANGUAGE_POSITIONS, POSITIONS, SWITCHES, VERSIONS, show, try_table

ROOT = Path(__file__).parents[2]


def test_fuzz_ends_with_its_count() -> None:
    done = subprocess.run(
        ["bash", "lab/fuzz.sh", "2", "--seed", "77"],  # noqa: S607 - likewise
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"(\d+) hostile tables in \d+ s \(\d+ a second\), numbers 77 to (\d+): no harm\.", done.stdout)
    assert found
    assert int(found[2]) == 76 + int(found[1])


def test_table_of_a_number_is_always_the_same() -> None:
    for seed in (1, 2, 3):
        one, again = try_table(seed), try_table(seed)
        assert (one.payload, one.switches, one.version) == (again.payload, again.switches, again.version)
        assert [outcome.places for outcome in one.outcomes] == [outcome.places for outcome in again.outcomes]


def test_show_prints_everything_that_one_table_does() -> None:
    assert show(5) == 0


def test_every_version_and_position_is_used() -> None:
    assert len(SWITCHES) == len(set(SWITCHES)) == 288
    tried = [try_table(seed) for seed in range(150)]
    assert {each.version for each in tried} == set(VERSIONS)
    for name in (*POSITIONS, *LANGUAGE_POSITIONS):
        values = {getattr(switches, name) for switches in SWITCHES}
        assert {getattr(each.switches, name) for each in tried} == values
