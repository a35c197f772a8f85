"""Text from outside becomes printable and bounded."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.wire.text import clip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Köln 7.20", "Köln 7.20"),
        ("", ""),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\x9b\u202e\ud800", r"a\nb\x9b\u202e\ud800"),
        ("12345678", "12345678"),
        ("123456789", "1234567…"),
    ],
)
def test_clip_escapes_what_is_not_printable_and_cuts(text: str, shown: str) -> None:
    assert clip(text, 8 if text.startswith("1") else 50) == shown


@given(st.text(), st.integers(1, 100))
def test_clip_any_text_is_printable_and_bounded(text: str, limit: int) -> None:
    shown = clip(text, limit)
    assert len(shown) <= limit
    assert {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()
    shown.encode()
