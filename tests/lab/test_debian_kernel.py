"""The programs of tests/vm on Debian's own kernel, in qemu: each is started once for all its cases."""

from functools import cache

import pytest

from tests.lab.vm_programs import output_of
from tests.vm import hints, netlink_edge

pytestmark = pytest.mark.lab

CASES = [(module, case) for module in (netlink_edge, hints) for case in module.CASES]


@cache
def output(program: str) -> str:
    """Return the output of a program in the virtual machine; the first run ever downloads 70 MB for it."""
    return output_of(program, "debian.sh")


@pytest.mark.parametrize(("program", "case"), [(module.__name__.rpartition(".")[2], case) for module, case in CASES])
def test_case_on_debians_kernel(program: str, case: str) -> None:
    printed = output(program)
    assert f"\nok {case} " in f"\n{printed}", printed
