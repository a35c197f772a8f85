"""WireGuard's timers: tests/vm/timers.py on user-mode Linux with virtual time, started once for all its cases."""

import os
from pathlib import Path

import pytest

from tests.lab.vm_programs import ROOT, output_of
from tests.vm.timers import CASES

pytestmark = pytest.mark.lab

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wgmqtt"


@pytest.fixture(scope="module")
def output() -> str:
    """Return the output in the guest; building its kernel takes longer than all other tests together."""
    if not os.environ.get("UML") and not list(CACHE.glob("uml-[0-9]*")):
        pytest.skip("no user-mode kernel: 'bash lab/vm/uml.sh true' builds it once, in 6 to 10 minutes")
    surroundings = {"VM_APPEND": "time-travel", "VM_TIMEOUT": "300", "PYTHONPATH": str(ROOT)}
    return output_of("timers", "uml.sh", surroundings)


@pytest.mark.parametrize("case", CASES)
def test_timer_of_wireguard(output: str, case: str) -> None:
    assert f"\nok {case} " in f"\n{output}", output
