"""Hints on Debian's own kernel: tests/vm/hints.py in qemu, started once for all its cases."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.vm.hints import CASES

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def told() -> str:
    """Return what the cases said in the virtual machine; the first run fetches 70 MB for it."""
    program = ("bash", "lab/vm/debian.sh", sys.executable, "-m", "tests.vm.hints")
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)  # noqa: S603
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("case", CASES)
def test_case_on_debians_kernel(told: str, case: str) -> None:
    assert f"\nok {case} " in f"\n{told}", told
