"""Configurations that are large, or made to be costly; and any text at all."""

import base64
import time
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.config_rows import VALID
from wgmqtt.config.config import parse_config
from wgmqtt.config.links import Mesh
from wgmqtt.config.nodes import MAX_FILE_BYTES
from wgmqtt.errors import ConfigError, Problem, WireError
from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.wire.table import MAX_TABLE_BYTES, Table, TablePeer, encode_table

HEAD = VALID[: VALID.index("routers:")]


def render_routers(count: int) -> str:
    """Return a configuration of `count` routers without a key `links`."""
    lines = [HEAD + "routers:"]
    for number in range(count):
        key = base64.b64encode(number.to_bytes(32, "big")).decode()
        ping = ip_address("10.128.0.0") + number
        lines.append(f'  r{number}: {{public_key: "{key}", routeros: "7.20", interface: wg, ping: {ping}}}')
    return "\n".join(lines) + "\n"


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml")
    return str(caught.value)


def test_parse_config_two_of_two_thousand_linked_is_a_pilot() -> None:
    config = parse_config(render_routers(2000) + "links: [[r7, r1999]]\n", "c.yaml")
    assert len(config.routers) == 2000
    assert [(link.first, link.second) for link in config.links] == [("r1999", "r7")]


def test_parse_config_three_thousand_routers_in_a_ring_takes_no_time() -> None:
    """Half a second when measured; the limit leaves room for a loaded machine."""
    links = "".join(f"  - [r{number}, r{(number + 1) % 3000}]\n" for number in range(3000))
    text = render_routers(3000) + "links:\n" + links
    start = time.process_time()
    assert len(parse_config(text, "c.yaml").links) == 3000
    assert time.process_time() - start < 4


def test_parse_config_table_too_large_is_refused_once() -> None:
    assert refusal(render_routers(100) + "links: all\n") == (
        "c.yaml:111:8: links: the table of 100 routers would be too large; expected 15000 bytes, about 80 peers; "
        "got r0: 16945, r1: 16945, r2: 16945, and 97 more (link only those that exchange much)\n"
        "    links: all\n"
        "           ^"
    )


def test_parse_config_table_too_large_by_default_says_so() -> None:
    assert refusal(render_routers(100)) == (
        "c.yaml:11:3: links: the table of 100 routers would be too large; expected 15000 bytes, about 80 peers; "
        "got r0: 16945, r1: 16945, r2: 16945, and 97 more (links is absent, so it is all)\n"
        '      r0: {public_key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", routeros: "7.20", interface:\n'
        "      ^"
    )


def test_parse_config_one_table_too_large_by_many_pairs_is_refused() -> None:
    pairs = "".join(f"  - [r0, r{number}]\n" for number in range(1, 100))
    message = refusal(render_routers(100) + "links:\n" + pairs)
    assert "links: the table of one router would be too large; expected 15000 bytes" in message
    assert "got r0: 1" in message


def refused_bytes(table: Table) -> int | None:
    """Return the size of a table that the wire refuses, None of one that it takes."""
    try:
        encode_table(table)
    except WireError as error:
        return int(error.problems[0].got.removesuffix(" bytes"))
    return None


@given(st.lists(st.tuples(st.integers(1, 32), st.booleans()), min_size=2, max_size=90))
def test_mesh_too_large_is_what_encode_table_refuses(routers: list[tuple[int, bool]]) -> None:
    """The sizes are exact for the longest table; nothing that passes can be refused when it is published."""
    pings = {}
    for number, (length, six) in enumerate(routers):
        name = f"{number:02d}".rjust(length, "r")
        pings[name] = "fd00:1111:2222:3333:4444:5555:6666:7777" if six else "10.98.100.100"
    mesh = Mesh("hub1", pings)
    mesh.add_group(list(pings))
    longest = Endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
    for name in pings:
        peers = tuple(
            TablePeer(PublicKey(bytes(32)), other, longest, ping, kick=False, after_ms=9999)
            for other, ping in pings.items()
            if other != name
        )
        assert mesh.too_large.get(name) == refused_bytes(Table("hub1", 10**20 - 1, longest, peers))
    assert all(size > MAX_TABLE_BYTES for size in mesh.too_large.values())


COSTLY = {
    "every router in one group": "links:\n  - [" + ", ".join(f"r{n}" for n in range(500)) + "]\n",
    "one group ten thousand times": "links:\n  - &g [r0, r1]\n" + "  - *g\n" * 10_000,
    "deep": "a: " + "[" * 1_000_000,
    "deep keys": "? " * 100_000,
    "wrong keys": "".join(f"wrong-key-{n}: 1\n" for n in range(5_000)),
    "one long line": "a: " + "x" * 3_000_000,
    "mistyped names": "links:\n" + "".join(f"  - [r{n}x, r{n}y]\n" for n in range(500)),
    "a merge in itself": "a: &a\n  b: &b {<<: *a}\n  <<: *b\n",
    "an alias in itself": "links: &l [*l, [*l, *l]]\n",
}


MERGES = {
    "doubling": (
        "a0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], y{n}: 1}}\n" for n in range(1, 16))
        + "hub: {<<: *a15}\n",
        "c.yaml:1:10: unknown key",
    ),
    "multiplying": (
        "a: &a {" + ", ".join(f"k{n}: 1" for n in range(2000)) + "}\nhub: {<<: [" + "*a, " * 2000 + "*a]}\n",
        "c.yaml:2:7: <<: too many keys are merged; expected 1000000 in a file",
    ),
    "a long chain": (
        "a0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 2000))
        + "hub: {<<: *a1999}\n",
        "c.yaml:1985:16: <<: merged through too many places; expected 16",
    ),
    "a circle": (
        "hub: &a\n  tls: &b {<<: *a}\n  <<: *b\n",
        "c.yaml:2:3: unknown key",
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_parse_config_costly_text_is_done_soon(name: str) -> None:
    """Each would take minutes, gigabytes or the interpreter's stack if it were read as it asks to be."""
    text = render_routers(500) + COSTLY[name]
    start = time.process_time()
    parse_or_refuse(text)
    assert time.process_time() - start < 4


@pytest.mark.parametrize("name", MERGES)
def test_parse_config_costly_merges_are_refused_soon(name: str) -> None:
    text, expected = MERGES[name]
    start = time.process_time()
    assert expected in refusal(text)
    assert time.process_time() - start < 4


def test_parse_config_too_large_file_is_refused_unread() -> None:
    text = "#" * (MAX_FILE_BYTES + 1)
    assert refusal(text) == "c.yaml: the file is too large; expected 4194304 bytes; got 4194305 bytes"


def parse_or_refuse(text: str) -> None:
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
    parse_or_refuse(text)


@given(st.text(st.characters()), st.integers(0, len(VALID)), st.integers(0, 40))
def test_parse_config_valid_text_with_a_piece_replaced_raises_only_config_errors(new: str, at: int, cut: int) -> None:
    parse_or_refuse(VALID[:at] + new + VALID[at + cut :])


SIGNS = "[]{},:?*&!|>-#%@`'\"\n\t \ufeff\x85\u2028\ud800"
WORDS = ["routers", "hub", "tls", "lan", "ping", "links", "all", "7.20", "~", "no", "0x1f", "r1", "&a", "*a", "!!str"]
TOKENS = st.sampled_from([*SIGNS, *WORDS, "- ", ": ", "\n  ", "<<: ", "...", "---\n", "%YAML 1.1\n"])


@settings(max_examples=300)
@given(st.lists(TOKENS, max_size=40).map("".join), st.booleans())
def test_parse_config_any_yaml_tokens_raise_only_config_errors(text: str, behind: bool) -> None:  # noqa: FBT001
    parse_or_refuse((VALID if behind else "") + text)
