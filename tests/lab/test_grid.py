"""Two sites behind NATs of all kinds: which links must get direct, and which must be marked with which reason."""

from collections.abc import Mapping

import pytest

from lab.checks.nat_pairs import SAME, SAME_LAN, Row, pairs, run_pairs
from lab.network.shell import LabError

pytestmark = pytest.mark.lab

BECOMES_DIRECT = {
    "port-restricted / port-restricted",
    "port-restricted / full-cone",
    "endpoint-dependent / full-cone",
    "full-cone / full-cone",
    "full-cone / accepting input",
    SAME_LAN,
}
# Depends on whose packet comes first after the move: an early one occupies the port in the box that accepts input.
EITHER = {"port-restricted / accepting input"}
CANNOT_BE_DIRECT = {
    "port-restricted / endpoint-dependent",
    "endpoint-dependent / endpoint-dependent",
    "endpoint-dependent / accepting input",
    "accepting input / accepting input",
}
AT_ONCE = 9  # more would starve each other on a busy machine
NAMES = [pair.name for pair in pairs()]
PORT_CHANGES = {name for name in NAMES if "changing port" in name}


@pytest.fixture(scope="module")
def grid() -> Mapping[str, Row | LabError]:
    """Run all pairs, some at once, since they sleep most of the time."""
    wanted = pairs()
    return dict(zip(NAMES, run_pairs(wanted, AT_ONCE), strict=True))


def row(grid: Mapping[str, Row | LabError], name: str) -> Row:
    found = grid[name]
    if isinstance(found, LabError):
        raise found
    return found


def test_every_pair_has_an_expectation() -> None:
    assert {*BECOMES_DIRECT, *EITHER, *CANNOT_BE_DIRECT, *PORT_CHANGES, SAME} == set(NAMES)


@pytest.mark.parametrize("name", sorted(BECOMES_DIRECT))
def test_pair_that_can_be_direct_becomes_direct_again_after_a_move(
    grid: Mapping[str, Row | LabError], name: str
) -> None:
    found = row(grid, name)
    assert found.moved.ms is not None, found


@pytest.mark.parametrize("name", sorted(CANNOT_BE_DIRECT))
def test_pair_that_cannot_be_direct_is_marked_with_the_reason(grid: Mapping[str, Row | LabError], name: str) -> None:
    found = row(grid, name)
    assert found.moved.reason.startswith("the NATs do not allow a direct path"), found


@pytest.mark.parametrize("name", sorted(EITHER))
def test_pair_that_may_be_direct_is_direct_or_marked(grid: Mapping[str, Row | LabError], name: str) -> None:
    found = row(grid, name)
    assert found.moved.ms is not None or found.moved.reason.startswith("the NATs do not allow a direct path"), found


@pytest.mark.parametrize("name", sorted(PORT_CHANGES))
def test_site_whose_port_keeps_changing_is_marked(grid: Mapping[str, Row | LabError], name: str) -> None:
    found = row(grid, name)
    assert "its port keeps changing at one address" in found.moved.reason, found


def test_two_sites_behind_one_box_are_marked_with_what_to_configure(grid: Mapping[str, Row | LabError]) -> None:
    assert row(grid, SAME).met.reason.startswith("both are behind one public address: if they share a network")
