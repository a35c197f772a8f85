"""Large configurations, texts made to be costly, and arbitrary text."""

import base64
import time
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.config_rows import VALID
from wgmqtt.config.load import parse_config
from wgmqtt.errors import ConfigError, Problem, WireError
from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.wire.table import MAX_TABLE_BYTES, Table, TablePeer, encode_table
from wgmqtt.wire.table_size import link_groups

HEAD = VALID[: VALID.index("routers:")]


def render_routers(count: int) -> str:
    """Return a configuration of `count` routers without a key `links`."""
    lines = [HEAD + "routers:"]
    for number in range(count):
        key = base64.b64encode(number.to_bytes(32, "big")).decode()
        ping = ip_address("10.128.0.0") + number
        lines.append(f'  r{number}: {{public_key: "{key}", routeros: "7.20", interface: wg, ping: {ping}}}')
    return "\n".join(lines) + "\n"


def rejection(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml")
    return str(caught.value)


def test_parse_config_two_of_two_thousand_may_be_linked_alone() -> None:
    config = parse_config(render_routers(2000) + "links: [[r7, r1999]]\n", "c.yaml")
    assert len(config.routers) == 2000
    assert [(link.first, link.second) for link in config.links] == [("r1999", "r7")]


def test_parse_config_three_thousand_routers_in_a_ring_are_read_soon() -> None:
    """It took half a second when measured; the limit allows for a busy machine."""
    links = "".join(f"  - [r{number}, r{(number + 1) % 3000}]\n" for number in range(3000))
    text = render_routers(3000) + "links:\n" + links
    start = time.process_time()
    assert len(parse_config(text, "c.yaml").links) == 3000
    assert time.process_time() - start < 4


def test_parse_config_table_too_large_is_rejected_once() -> None:
    assert rejection(render_routers(100) + "links: all\n") == (
        "c.yaml:111:8: links: the tables of 100 routers would be too large; expected at most 15000 bytes, about 80 "
        "peers; got r0: 16945 bytes, r1: 16945 bytes, r2: 16945 bytes, and 97 more "
        "(link only routers that exchange much traffic)\n"
        "    links: all\n"
        "           ^"
    )


def test_parse_config_table_too_large_by_default_mentions_the_default() -> None:
    assert rejection(render_routers(100)) == (
        "c.yaml:11:3: links: the tables of 100 routers would be too large; expected at most 15000 bytes, about 80 "
        "peers; got r0: 16945 bytes, r1: 16945 bytes, r2: 16945 bytes, and 97 more "
        "(link only routers that exchange much traffic; the default is all)\n"
        '      r0: {public_key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", routeros: "7.20", interface:\n'
        "      ^"
    )


def test_parse_config_one_table_too_large_by_many_pairs_is_rejected() -> None:
    pairs = "".join(f"  - [r0, r{number}]\n" for number in range(1, 100))
    message = rejection(render_routers(100) + "links:\n" + pairs)
    assert "links: the table of one router would be too large; expected at most 15000 bytes" in message
    assert "got r0: 1" in message


def rejected_bytes(table: Table) -> int | None:
    """Return the size of a table that is too large to encode, None for another."""
    try:
        encode_table(table)
    except WireError as error:
        return int(error.problems[0].got.removesuffix(" bytes"))
    return None


@given(st.lists(st.tuples(st.integers(1, 32), st.booleans()), min_size=2, max_size=90))
def test_link_groups_too_large_is_what_encode_table_rejects(routers: list[tuple[int, bool]]) -> None:
    """The sizes are exact for the longest table, so no table that passes is rejected when it is published."""
    pings = {}
    for number, (length, six) in enumerate(routers):
        name = f"{number:02d}".rjust(length, "r")
        pings[name] = "fd00:1111:2222:3333:4444:5555:6666:7777" if six else "10.98.100.100"
    _, too_large = link_groups("hub1", pings, [list(pings)])
    longest = Endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
    for name in pings:
        peers = tuple(
            TablePeer(PublicKey(bytes(32)), other, longest, ping, kick=False, after_ms=9999)
            for other, ping in pings.items()
            if other != name
        )
        assert too_large.get(name) == rejected_bytes(Table("hub1", 10**20 - 1, longest, peers))
    assert all(size > MAX_TABLE_BYTES for size in too_large.values())


COSTLY = {
    "every router in one group": "links:\n  - [" + ", ".join(f"r{n}" for n in range(500)) + "]\n",
    "one group ten thousand times": "links:\n" + "  - [r0, r1]\n" * 10_000,
    "groups of the largest size": "links:\n" + ("  - [" + ", ".join(f"r{n}" for n in range(80)) + "]\n") * 1_000,
    "ten thousand aliases": "links:\n  - &g [r0, r1]\n" + "  - *g\n" * 10_000,
    "deep": "a: " + "[" * 1_000_000,
    "deep keys": "? " * 100_000,
    "wrong keys": "".join(f"wrong-key-{n}: 1\n" for n in range(5_000)),
    "one long line": "a: " + "x" * 3_000_000,
    "mistyped names": "links:\n" + "".join(f"  - [r{n}x, r{n}y]\n" for n in range(500)),
    "merges that double": "a0: &a0 {x: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 2_000)),
    "an alias in itself": "links: &l [*l, [*l, *l]]\n",
}


@pytest.mark.parametrize("name", COSTLY)
def test_parse_config_costly_text_is_done_soon(name: str) -> None:
    """Read naively, each would take minutes, gigabytes or the interpreter's stack."""
    text = render_routers(500) + COSTLY[name]
    start = time.process_time()
    parse_or_reject(text)
    assert time.process_time() - start < 4


def parse_or_reject(text: str) -> None:
    """Anything but a Config or a ConfigError fails the test; each problem has its place and its line."""
    problems: tuple[Problem, ...] = ()
    try:
        parse_config(text, "c.yaml")
    except ConfigError as error:
        problems = error.problems or (Problem("nowhere", "an error without a problem"),)
    for problem in problems:
        assert problem.where.startswith("c.yaml")
        assert problem.excerpt.count("\n") == (1 if ":" in problem.where else 0)


@given(st.text())
def test_parse_config_any_text_raises_only_config_errors(text: str) -> None:
    parse_or_reject(text)


@given(st.text(st.characters()), st.integers(0, len(VALID)), st.integers(0, 40))
def test_parse_config_valid_text_with_a_piece_replaced_raises_only_config_errors(new: str, at: int, cut: int) -> None:
    parse_or_reject(VALID[:at] + new + VALID[at + cut :])


SIGNS = "[]{},:?*&!|>-#%@`'\"\n\t \ufeff\x85\u2028\ud800"
WORDS = ["routers", "hub", "tls", "lan", "ping", "links", "all", "7.20", "~", "no", "0x1f", "r1", "&a", "*a", "!!str"]
TOKENS = st.sampled_from([*SIGNS, *WORDS, "- ", ": ", "\n  ", "<<: ", "...", "---\n", "%YAML 1.1\n"])


@settings(max_examples=300)
@given(st.lists(TOKENS, max_size=40).map("".join), st.booleans())
def test_parse_config_any_yaml_tokens_raise_only_config_errors(text: str, behind: bool) -> None:  # noqa: FBT001
    parse_or_reject((VALID if behind else "") + text)


def test_parse_config_thousands_of_problems_on_one_line_are_bounded_and_counted() -> None:
    routers = ", ".join(f"r{number}: {{public_key: x, routeros: 7.20}}" for number in range(2000))
    text = HEAD + "routers: {" + routers + "}\n"
    begun_s = time.process_time()
    said = rejection(text)
    assert time.process_time() - begun_s < 60
    assert len(said) < 200 * 1000
    assert said.splitlines()[-1].startswith("c.yaml: and ")
