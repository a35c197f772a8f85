"""The guide names what the hub really says, and the numbers that the tests hold."""

import re
from pathlib import Path

from tests.engine.test_metered_line import MAX_FIRST_DAY, MAX_LATER_DAY, MAX_NEWS
from wgmqtt.engine.links import RETRY_S

PROJECT = Path(__file__).parents[2]
GUIDE = " ".join((PROJECT / "docs" / "troubleshooting.md").read_text().split())
SAID = "".join(path.read_text() for path in sorted((PROJECT / "wgmqtt").glob("**/*.py")))
STATES = {"direct", "trying", "down", "unknown", "never"}
COLUMNS = {"ENDPOINT", "HANDSHAKE", "REPORT", "APPLIED"}
PHRASE = re.compile(r"`((?:[a-z]+ ){2,}[a-z …]+|[A-Z]{3,}[^`]*)`")
COMMANDS = ("wgmqtt ", "bash ", "systemctl ")


def test_every_quoted_phrase_is_one_that_a_person_can_see() -> None:
    phrases = [phrase for phrase in PHRASE.findall(GUIDE) if not phrase.startswith(COMMANDS)]
    assert len(phrases) > 15
    for phrase in phrases:
        for part in phrase.replace(" …", "").split("…"):
            assert part.strip() in SAID, phrase


def test_ten_steps() -> None:
    numbers = re.findall(r"(?<= )(\d+)\. \*\*", GUIDE)
    assert numbers == [str(number) for number in range(1, 11)]


def test_states_and_columns_are_those_of_status() -> None:
    assert all(f'"{word}"' in SAID for word in STATES | COLUMNS)


def test_numbers_are_those_that_the_tests_hold() -> None:
    assert f"at most {MAX_FIRST_DAY // 1000} kB on its first day and {MAX_LATER_DAY // 1000} kB on each later" in GUIDE
    assert f"four times a day cost {MAX_NEWS // 1000} kB" in GUIDE
    assert RETRY_S == (5.0, 15.0, 45.0, 200.0, 3600.0, 8 * 3600.0)
    assert "after 5, 15, 45 and 200 s, then after one hour, then every eight hours" in GUIDE
