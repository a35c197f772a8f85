"""Runs benchmarks that need the kernel's WireGuard in a guest: user-mode Linux, lab/vm/uml.sh.

In the guest, which has one CPU, the benchmark's module runs as a program: `python -m lab.bench.NAME ARGUMENT…`. Each
line `{"metric": …}` that it prints is one series of samples; other lines are shown as they are.
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
    """Print one series of samples for `measure_in_guest` to read."""
    print(json.dumps({"metric": metric, "unit": unit, "peers": peers, "samples": list(samples)}), flush=True)


def measure_in_guest(bench: str, *arguments: object, timeout_s: float) -> Result:
    """Run a benchmark's module in a guest, show its output, and return its series."""
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
    read = json.loads(line)
    return Series(bench, OURS, read["peers"], read["metric"], read["unit"], read["samples"])
