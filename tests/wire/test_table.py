"""A router's table: round trips, its exact text, and what is rejected."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.errors import WireError
from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.wire.table import MAX_TABLE_BYTES, Table, TablePeer, decode_table, encode_table

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
def test_decode_table_encoded_table_is_the_same(table: Table) -> None:
    assert decode_table(encode_table(table), "topic") == table


def test_encode_table_text_is_the_contract() -> None:
    """The example of the contract, field by field: as a router's script reads it."""
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


def test_encode_table_110_peers_fit_and_150_are_rejected() -> None:
    """The contract's figure is about 120 peers; these have names and addresses of a usual length."""

    def table(count: int) -> Table:
        line = TablePeer(KEY, "site-1234", Endpoint("203.0.113.111", 51820), "10.98.10.111")
        return Table("hub1", 1_700_000_000_000, Endpoint("203.0.113.1", 51820), (line,) * count)

    assert len(encode_table(table(110))) <= MAX_TABLE_BYTES
    with pytest.raises(WireError, match="table: too large; expected at most 15000 bytes"):
        encode_table(table(150))


def test_decode_table_unknown_fields_are_ignored() -> None:
    table = decode_table(b'{"v":1,"hub":"h","seq":"1","epoch":3,"peers":[],"via":{}}', "topic")
    assert table == Table("h", 1, None, ())


@pytest.mark.parametrize("port", ["1e999", "Infinity", "NaN", "1" + 400 * "0"])
def test_decode_table_port_that_is_no_number_is_rejected(port: str) -> None:
    table = f'{{"v":1,"hub":"h","seq":"1","self":{{"address":"1.2.3.4","port":{port}}},"peers":[]}}'
    with pytest.raises(WireError):
        decode_table(table.encode(), "topic")
