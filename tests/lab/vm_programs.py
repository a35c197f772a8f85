"""Runs a program of tests/vm in a virtual machine, and returns its output."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_S = 1800.0  # only a hang should end it


def output_of(module: str, machine: str, surroundings: Mapping[str, str] | None = None) -> str:
    """Return the output of `tests.vm.MODULE` on a machine of lab/vm: `debian.sh` or `uml.sh`."""
    program = ("bash", f"lab/vm/{machine}", sys.executable, "-m", f"tests.vm.{module}")
    done = subprocess.run(  # noqa: S603 - a fixed command
        program,
        cwd=ROOT,
        env=os.environ | dict(surroundings or {}),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout
