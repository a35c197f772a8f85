"""A log line with any text from outside in its fields."""

import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.host import journal
from wgmqtt.host.journal import MAX_FIELD, render_line
from wgmqtt.logline import Say

HOSTILE = [
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "two\nlines\r\x85\u2028",
    "\u202eesrever\u2066",
    "\ud800 alone",
    'a="b" c',
    "\x00",
]


def test_render_line_of_plain_values_is_unquoted() -> None:
    line = Say("info", "endpoint changed", (("router", "berlin"), ("endpoint", "[2001:db8::1]:1001"), ("ms", 4.5)))
    assert render_line(line) == "endpoint changed router=berlin endpoint=[2001:db8::1]:1001 ms=4.5"


@pytest.mark.parametrize("text", HOSTILE)
def test_render_line_escapes_control_characters_and_keeps_the_value(text: str) -> None:
    rendered = render_line(Say("info", "report malformed", (("reason", text),)))
    assert rendered.isascii()
    assert rendered.isprintable()
    assert json.loads(rendered.partition("=")[2]) == text


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_render_line_of_any_text_holds_no_control_character(phrase: str, key: str, value: str) -> None:
    """`wgmqtt events` renders phrases and keys that come from the broker, too."""
    rendered = render_line(Say("info", phrase, ((key, value),)))
    assert {unicodedata.category(char) for char in rendered} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()
    rendered.encode()


def test_render_line_cuts_a_field_that_is_longer_than_a_table() -> None:
    rendered = render_line(Say("info", "p" * 10_000, (("k" * 10_000, "v" * 10_000_000),)))
    assert len(rendered) < MAX_FIELD + 500
    assert rendered.endswith("...")


def test_line_with_a_lone_surrogate_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    before = list(journal.LOG.handlers)
    journal.set_up("info")
    try:
        journal.write(Say("warning", "report malformed", (("reason", "\ud800"),)))
    finally:
        for handler in set(journal.LOG.handlers) - set(before):
            journal.LOG.removeHandler(handler)
        journal.LOG.setLevel(logging.NOTSET)
    assert capsys.readouterr().err.endswith('Z warning report malformed reason="\\ud800"\n')
