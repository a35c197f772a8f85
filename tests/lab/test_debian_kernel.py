"""The netlink edge on Debian's own kernel: tests/vm/netlink_edge.py in qemu, started once for all its cases."""

import pytest

from tests.lab.vm_programs import told_by
from tests.vm.netlink_edge import CASES

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def told() -> str:
    """Return what the cases said in the virtual machine; the first run fetches 70 MB for it."""
    return told_by("netlink_edge", "debian.sh")


@pytest.mark.parametrize("case", CASES)
def test_case_on_debians_kernel(told: str, case: str) -> None:
    assert f"\nok {case} " in f"\n{told}", told
