"""Fixtures for the tests of the lab."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from lab.network.addresses import Family
from lab.network.topology import Network
from lab.testbed.lab import Lab


@pytest.fixture(params=[4, 6])
def family(request: pytest.FixtureRequest) -> Family:
    """Give IPv4, then IPv6 where the machine has it."""
    if request.param == 6 and not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 on this machine")
    return cast("Family", request.param)


@pytest.fixture
def network(family: Family) -> Iterator[Network]:
    """Give two sites behind port-restricted NAT, over IPv4, then IPv6."""
    with Network(family=family) as made:
        yield made


@pytest.fixture(scope="module")
def idle_lab() -> Iterator[Lab]:
    """Give a lab with a broker and routers without scripts; the daemon does not run."""
    with Lab() as lab:
        yield lab
