"""A router's report: every spelling that RouterOS may write, and what is rejected."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.errors import WireError
from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.wire.report import MAX_CAPS, MAX_ERROR, MAX_WORD, decode_head, decode_lines, decode_report

KEY = PublicKey(bytes(range(32)))


@given(st.binary(max_size=200))
def test_decode_report_any_bytes_are_a_report_or_rejected(payload: bytes) -> None:
    with contextlib.suppress(WireError):
        decode_report(payload, "topic")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "did", "rx", "x"]), inner),
    max_leaves=8,
)
REPORTS = st.fixed_dictionaries(
    {"v": st.just(1)},
    optional=dict.fromkeys(("seq", "stage", "script", "routeros", "caps", "error", "peers"), JSON_VALUES),
)


@given(REPORTS)
def test_decode_report_any_json_is_a_report_or_rejected(body: dict[str, object]) -> None:
    with contextlib.suppress(WireError):
        decode_report(json.dumps(body).encode(), "topic")


def report_of(**line: object) -> bytes:
    body = {"v": 1, "seq": "9", "stage": "final", "peers": [{"key": str(KEY), "did": "set"} | line]}
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("text", "age_s"),
    [
        ("00:01:32", 92.0),
        ("1d00:00:00", 86400.0),
        ("3w4d08:00:00", 25 * 86400.0 + 8 * 3600.0),
        ("1w07:00:02", 7 * 86400.0 + 7 * 3600.0 + 2.0),
        ("00:00:00.200", 0.2),
        (17, 17.0),
        ("", None),
        (None, None),
        ("soon", None),
    ],
)
def test_decode_report_handshake_age_in_each_spelling_of_a_routeros_time(text: object, age_s: float | None) -> None:
    """The spellings are those that RouterOS itself printed (lab/routeros/data/device-measured.json, kind literal)."""
    assert decode_report(report_of(handshake_s=text), "topic").peers[0].handshake_s == age_s


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("203.0.113.7 51820", Endpoint("203.0.113.7", 51820)),
        ("2001:db8::7 1", Endpoint("2001:db8::7", 1)),
        (" ", None),
        ("", None),
        ("router.example 51820", None),
        ("203.0.113.7 ", None),
        ("203.0.113.7 0", None),
        ("fe80::1%\x1b[31m 51820", None),
    ],
)
def test_decode_report_endpoint_as_a_router_writes_it(text: str, endpoint: Endpoint | None) -> None:
    assert decode_report(report_of(current=text), "topic").peers[0].current == endpoint


def test_decode_report_empty_list_of_peers_in_each_spelling_is_accepted() -> None:
    """RouterOS may write an empty array as `[]`, `{}` or `""`."""
    for empty in ("[]", "{}", '""', "null"):
        payload = '{"v":1,"seq":"1","stage":"applied","peers":' + empty + "}"
        assert decode_report(payload.encode(), "topic").peers == ()


def test_decode_report_age_too_large_for_a_number_is_rejected() -> None:
    for age in (10**400, f"{'9' * 400}:00:00"):
        with pytest.raises(WireError):
            decode_report(report_of(handshake_s=age), "topic")


def test_decode_report_too_large_is_rejected_before_it_is_parsed() -> None:
    with pytest.raises(WireError, match="report too large"):
        decode_report(b"[" * 40_000, "topic")


def test_decode_head_of_a_report_whose_lines_are_malformed_does_not_look_at_them() -> None:
    head = decode_head(b'{"v":1,"seq":"9","stage":"applied","peers":[{"key":"x","did":7},3]}', "topic")
    assert (head.seq, head.stage, head.rank) == (9, "applied", (9, 0))
    with pytest.raises(WireError):
        decode_lines(head, [KEY], "topic")


def test_decode_lines_takes_one_line_for_each_linked_peer_and_ignores_the_others() -> None:
    """A router decides how many lines it sends, but not how many are decoded and kept."""
    others = [{"key": str(PublicKey(bytes([number] * 32))), "current": "203.0.113.7 1"} for number in range(200)]
    own = {"key": str(KEY), "did": "set"}
    body = {"v": 1, "seq": "9", "stage": "final", "peers": [*others, own, own | {"did": "kept"}]}
    report = decode_lines(decode_head(json.dumps(body).encode(), "topic"), [KEY, PublicKey(b"\xff" * 32)], "topic")
    assert [(peer.key, peer.did) for peer in report.peers] == [(KEY, "set")]


def test_decode_report_cuts_texts_and_capabilities_that_are_too_long() -> None:
    line = {"key": str(KEY), "did": "d" * 999, "rx": "9" * 999, "error": "e" * 999}
    head = {"script": "s" * 999, "routeros": "r" * 999, "error": "f" * 999, "caps": ["c" * 99] * 99}
    report = decode_report(json.dumps({"v": 1, "seq": "9", "stage": "final", "peers": [line]} | head).encode(), "topic")
    words = (report.script, report.routeros, report.caps[0], report.peers[0].did, report.peers[0].rx)
    assert {len(word) for word in words} == {MAX_WORD}
    assert (len(report.error), len(report.peers[0].error)) == (MAX_ERROR, MAX_ERROR)
    assert len(report.caps) == MAX_CAPS


@pytest.mark.parametrize("age", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_decode_report_age_that_is_no_number_is_rejected(age: str) -> None:
    payload = report_of(handshake_s=0).replace(b'"handshake_s": 0', f'"handshake_s": {age}'.encode())
    with pytest.raises(WireError):
        decode_report(payload, "topic")


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\nb", "\x9b31m", "\u202egnp", "\u2066", "\u200e", "\u061c", "\ud800", "x" * 1000]
)
def test_decode_report_text_is_printable_and_bounded(text: str) -> None:
    line = {"key": str(KEY), "did": text, "rx": text, "error": text}
    body = {"v": 1, "seq": "9", "stage": "final", "script": text, "routeros": text, "caps": [text], "error": text}
    report = decode_report(json.dumps(body | {"peers": [line]}).encode(), "topic")
    peer = report.peers[0]
    for shown in (report.script, report.routeros, *report.caps, report.error, peer.did, peer.rx, peer.error):
        assert shown.isprintable()
        assert 0 < len(shown) <= 200
