"""The wire contract: round trips, the exact text of a table, and what is refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.errors import WireError
from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.wire.report import decode_report
from wgmqtt.wire.table import MAX_TABLE_BYTES, Table, TablePeer, Topics, decode_table, encode_table

KEYS = st.binary(min_size=32, max_size=32).map(PublicKey)
ADDRESSES = st.ip_addresses().map(str).filter(lambda text: "%" not in text)
ENDPOINTS = st.builds(Endpoint, ADDRESSES, st.integers(1, 65535))
NAMES = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)
PEERS = st.builds(
    TablePeer, KEYS, NAMES, st.none() | ENDPOINTS, ADDRESSES, kick=st.booleans(), after_ms=st.integers(0, 2000)
)
TABLES = st.builds(Table, NAMES, st.integers(0, 10**19), st.none() | ENDPOINTS, st.lists(PEERS, max_size=5).map(tuple))
KEY = PublicKey(bytes(range(32)))


@given(TABLES)
def test_table_round_trip_is_the_same(table: Table) -> None:
    assert decode_table(encode_table(table), "topic") == table


def test_table_text_is_the_contract() -> None:
    """The example of the contract, field by field: what a router's script reads."""
    peer = TablePeer(KEY, "berlin", Endpoint("203.0.113.1", 51820), "10.98.0.2", kick=True, after_ms=450)
    other = TablePeer(KEY, "cologne", None, "10.98.0.3")
    assert json.loads(encode_table(Table("hub1", 17, Endpoint("2001:db8::1", 7), (peer, other)))) == {
        "v": 1,
        "hub": "hub1",
        "seq": "17",
        "self": {"address": "2001:db8::1", "port": 7},
        "peers": [
            {
                "key": str(KEY),
                "name": "berlin",
                "address": "203.0.113.1",
                "port": 51820,
                "ping": "10.98.0.2",
                "kick": True,
                "after_ms": 450,
            },
            {"key": str(KEY), "name": "cologne", "ping": "10.98.0.3"},
        ],
    }


def test_table_of_110_peers_fits_and_of_150_is_refused() -> None:
    """The contract's figure is about 120 peers; these have names and addresses of a usual length."""

    def table(count: int) -> Table:
        line = TablePeer(KEY, "site-1234", Endpoint("203.0.113.111", 51820), "10.98.10.111")
        return Table("hub1", 1_700_000_000_000, Endpoint("203.0.113.1", 51820), (line,) * count)

    assert len(encode_table(table(110))) <= MAX_TABLE_BYTES
    with pytest.raises(WireError, match="table: too large; allowed: 15000 bytes"):
        encode_table(table(150))


def test_unknown_fields_of_a_table_are_ignored() -> None:
    table = decode_table(b'{"v":1,"hub":"h","seq":"1","epoch":3,"peers":[],"via":{}}', "topic")
    assert table == Table("h", 1, None, ())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_report_or_refused(payload: bytes) -> None:
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
def test_any_json_is_a_report_or_refused(body: dict[str, object]) -> None:
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
def test_handshake_age_in_each_spelling_of_a_routeros_time(text: object, age_s: float | None) -> None:
    """The spellings are those that RouterOS itself printed (tests/data/device-measured.json, kind literal)."""
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
    ],
)
def test_endpoint_as_a_router_writes_it(text: str, endpoint: Endpoint | None) -> None:
    assert decode_report(report_of(current=text), "topic").peers[0].current == endpoint


def test_report_with_an_empty_list_of_peers_in_each_spelling_is_read() -> None:
    """RouterOS may write an empty array as `[]`, `{}` or `""`."""
    for empty in ("[]", "{}", '""', "null"):
        payload = '{"v":1,"seq":"1","stage":"applied","peers":' + empty + "}"
        assert decode_report(payload.encode(), "topic").peers == ()


def test_age_beyond_every_number_is_refused_as_any_other_nonsense() -> None:
    for age in (10**400, f"{'9' * 400}:00:00"):
        with pytest.raises(WireError):
            decode_report(report_of(handshake_s=age), "topic")


@pytest.mark.parametrize("port", ["1e999", "Infinity", "NaN", "1" + 400 * "0"])
def test_port_beyond_every_number_is_refused_as_any_other_nonsense(port: str) -> None:
    table = f'{{"v":1,"hub":"h","seq":"1","self":{{"address":"1.2.3.4","port":{port}}},"peers":[]}}'
    with pytest.raises(WireError):
        decode_table(table.encode(), "topic")


def test_report_that_is_huge_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(WireError, match="report too large"):
        decode_report(b"[" * 40_000, "topic")


def test_topics_are_those_of_the_contract() -> None:
    topics = Topics("wgmqtt/v1", "hub1")
    assert topics.endpoints("berlin") == "wgmqtt/v1/berlin/endpoints"
    assert topics.report("berlin") == "wgmqtt/v1/berlin/report"
    assert topics.online("berlin") == "wgmqtt/v1/berlin/online"
    assert topics.hub_online == "wgmqtt/v1/hub/hub1/online"
