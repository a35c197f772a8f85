"""NATs of every kind before two sites: what must come up, and what must be marked with which reason."""

from collections.abc import Mapping

import pytest

from lab.checks.nat_pairs import SAME, SAME_LAN, Row, pairs, run_pairs
from lab.network.shell import LabError

pytestmark = pytest.mark.lab

COMES_UP = {
    "port-restricted / port-restricted",
    "port-restricted / full-cone",
    "endpoint-dependent / full-cone",
    "full-cone / full-cone",
    "full-cone / accepting input",
    SAME_LAN,
}
# After the move it depends on whose packet comes first: an early one takes the port in the box that accepts input.
EITHER = {"port-restricted / accepting input"}
DO_NOT_MEET = {
    "port-restricted / endpoint-dependent",
    "endpoint-dependent / endpoint-dependent",
    "endpoint-dependent / accepting input",
    "accepting input / accepting input",
}
NAMES = [pair.name for pair in pairs()]
PORT_CHANGES = {name for name in NAMES if "changing port" in name}


@pytest.fixture(scope="module")
def grid() -> Mapping[str, Row | LabError]:
    """Run every pair, all at once."""
    wanted = pairs()
    return dict(zip(NAMES, run_pairs(wanted, len(wanted)), strict=True))


def row(grid: Mapping[str, Row | LabError], name: str) -> Row:
    found = grid[name]
    if isinstance(found, LabError):
        raise found
    return found


def test_every_pair_has_an_expectation() -> None:
    assert {*COMES_UP, *EITHER, *DO_NOT_MEET, *PORT_CHANGES, SAME} == set(NAMES)


@pytest.mark.parametrize("name", sorted(COMES_UP))
def test_pair_that_can_meet_comes_up_again_after_a_move(grid: Mapping[str, Row | LabError], name: str) -> None:
    found = row(grid, name)
    assert found.moved.ms is not None, found
    assert found.moved.ms < 30_000


@pytest.mark.parametrize("name", sorted(DO_NOT_MEET))
def test_pair_that_cannot_meet_is_marked(grid: Mapping[str, Row | LabError], name: str) -> None:
    found = row(grid, name)
    assert found.moved.reason.startswith("the NATs do not allow a direct path"), found


@pytest.mark.parametrize("name", sorted(EITHER))
def test_pair_that_may_meet_comes_up_or_is_marked(grid: Mapping[str, Row | LabError], name: str) -> None:
    found = row(grid, name)
    assert found.moved.ms is not None or found.moved.reason.startswith("the NATs do not allow a direct path"), found


@pytest.mark.parametrize("name", sorted(PORT_CHANGES))
def test_site_whose_port_keeps_changing_is_named(grid: Mapping[str, Row | LabError], name: str) -> None:
    found = row(grid, name)
    assert "its port keeps changing at one address" in found.moved.reason, found


def test_two_sites_behind_one_box_are_told_what_to_configure(grid: Mapping[str, Row | LabError]) -> None:
    assert row(grid, SAME).met.reason.startswith("both are behind one public address: if they share a network")
