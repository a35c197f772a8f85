"""Programs of tests/vm on Debian's own kernel in qemu; each program is started once for all of its cases."""

import pytest

from tests.lab.vm_programs import told_by
from tests.vm import hints, netlink_edge

pytestmark = pytest.mark.lab

CASES = [
    (program, case)
    for program, cases in (("netlink_edge", netlink_edge.CASES), ("hints", hints.CASES))
    for case in cases
]


@pytest.fixture(scope="module")
def outputs() -> dict[str, str]:
    """Hold what each program printed in the virtual machine; the first run fetches 70 MB for it."""
    return {}


@pytest.mark.parametrize(("program", "case"), CASES)
def test_case_on_debians_kernel(outputs: dict[str, str], program: str, case: str) -> None:
    if program not in outputs:
        outputs[program] = told_by(program, "debian.sh")
    assert f"\nok {case} " in f"\n{outputs[program]}", outputs[program]
