"""The daemon's own table and the commands that change it, as text; tests/lab gives them to nftables."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.watch.ruleset import Change, element, render_change, render_check, render_removal, render_table, table_name

GOLDEN = Path(__file__).parents[1] / "data" / "table.nft"


def test_render_table_is_the_golden_one() -> None:
    """The order matters: limit, then `recent`, then the report. A full `recent` must not come before the limit."""
    assert render_table("wgmqtt_hub1_51820", 51820, has_owner=True) == GOLDEN.read_text("ascii")


def test_render_table_without_an_owner_differs_in_nothing_else() -> None:
    without = render_table("wgmqtt_hub1_51820", 51820, has_owner=False)
    assert without == GOLDEN.read_text("ascii").replace(" { flags owner; }", "")


def test_render_table_accepts_everything() -> None:
    """No rule can lose a packet, and none changes one."""
    words = set(GOLDEN.read_text("ascii").replace("\n", " ").split())
    assert not words & {"drop", "reject", "queue", "jump", "goto", "dnat", "snat", "redirect", "masquerade", "ct"}
    assert "policy accept;" in GOLDEN.read_text("ascii")


def test_render_change_adds_before_it_deletes_and_adds_ports_last() -> None:
    four, six = element(51820, "203.0.113.1", 13231), element(51820, "2001:db8::1", 13231)
    change = Change((51820, 51821), (40000,), added=(four, six), removed=(element(40000, "203.0.113.9", 1),))
    assert list(render_change("t", change)) == [
        "delete element inet t ports { 40000 }\n",
        "add element inet t known4 { 51820 . 203.0.113.1 . 13231 }\n",
        "add element inet t known6 { 51820 . 2001:db8::1 . 13231 }\n",
        "delete element inet t known4 { 40000 . 203.0.113.9 . 1 }\nflush set inet t recent4\n",
        "add element inet t ports { 51820, 51821 }\n",
    ]


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_render_change_of_any_size_has_each_element_once_in_bounded_commands(fours: int, sixes: int) -> None:
    elements = [element(1, f"10.0.{number >> 8}.{number & 255}", 1) for number in range(fours)]
    elements += [element(1, f"fd00::{number:x}", 1) for number in range(sixes)]
    pieces = list(render_change("t", Change(added=tuple(elements))))
    assert all(piece.count(",") < 500 for piece in pieces)
    found = [each.strip() for piece in pieces for each in piece.partition("{")[2].partition("}")[0].split(",")]
    assert sorted(found) == sorted(elements)
    assert all(("known6" in piece) == ("fd00::" in piece) for piece in pieces)


def test_render_change_of_nothing_is_nothing() -> None:
    assert not Change()
    assert list(render_change("t", Change())) == []


def test_render_check_and_removal_name_the_table() -> None:
    assert render_check(table_name("hub-1", 51820)) == "flush set inet wgmqtt_hub-1_51820 recent4\n"
    assert render_removal("t") == "add table inet t\ndelete table inet t\n"
