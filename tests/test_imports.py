"""The rooms' contracts (pyproject.toml, tool.importlinter): imports run downwards, engine and wire stay pure."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_imports_of_package_and_lab_keep_every_contract() -> None:
    program = str(Path(sys.executable).with_name("lint-imports"))
    checked = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert checked.returncode == 0, checked.stdout + checked.stderr
