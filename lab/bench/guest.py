"""Benchmarks that need the kernel's WireGuard: their inner half runs on user-mode Linux. Edge: runs lab/vm/uml.sh.

The inner half is the module's own program, `python -m lab.bench.NAME ARGUMENT…`, as root of a machine that has one CPU.
Each line `{"metric": …}` that it prints is one series of samples; every other line is for people.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

from lab.bench.figures import OURS, Figure, Result, Series
from lab.network.netns import PROJECT

MEMORY_MIB = 2048
_SHOWN_LINES = 25


def emit(metric: str, unit: str, peers: int, samples: Sequence[float]) -> None:
    """Hand one series out of the guest."""
    print(json.dumps({"metric": metric, "unit": unit, "peers": peers, "samples": list(samples)}), flush=True)


def measure_in_guest(bench: str, *arguments: object, timeout_s: float) -> Result:
    """Run the inner half of a benchmark in a guest; what it says goes to the terminal, its series come back."""
    command = ("bash", str(PROJECT / "lab/vm/uml.sh"), sys.executable, "-m", f"lab.bench.{bench}")
    surroundings = os.environ | {
        "PYTHONPATH": str(PROJECT),
        "VM_MEM": str(MEMORY_MIB),
        "VM_TIMEOUT": str(round(timeout_s)),
    }
    figures: list[Figure] = []
    lines: list[str] = []
    with subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=PROJECT,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as guest:
        assert guest.stdout is not None
        for line in guest.stdout:
            series = _series(bench, line)
            if series:
                figures.append(series.figure())
            else:
                lines.append(line.rstrip())
                print(f"  {lines[-1]}", flush=True)
    if guest.returncode == 0:
        return Result(figures, [])
    last = "\n    ".join(lines[-_SHOWN_LINES:])
    return Result(
        figures, [f"the guest ended with status {guest.returncode} ({' '.join(map(str, arguments))}):\n    {last}"]
    )


def _series(bench: str, line: str) -> Series | None:
    if not line.startswith('{"metric"'):
        return None
    said = json.loads(line)
    return Series(bench, OURS, said["peers"], said["metric"], said["unit"], said["samples"])
