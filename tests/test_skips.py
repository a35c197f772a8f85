"""A skip that nobody allowed fails the run: pytest in pytest, with this project's hook."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process
ROOT = Path(__file__).resolve().parent.parent
ONE_SKIPPED = "import pytest\ndef test_runs(): pass\ndef test_other(): pytest.skip('no reason')\n"
ALL_SKIPPED = "import pytest\npytest.skip('as a whole', allow_module_level=True)\n"


def run_pytest(folder: Path, allowed: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Return what pytest said about the test files in `folder`."""
    (folder / "allowed.txt").write_text(allowed)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--allowed-skips", "allowed.txt", *options]
    environment = {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - pytest itself


@pytest.mark.parametrize(
    ("allowed", "status"),
    [
        ("", 1),
        ("test_one.py::test_other known here\n", 0),
        ("# all\n*::test_o* known here\n", 0),
        ("test_one.py::test_othe too short\n", 1),
        ("test_one.py::test_other \n", 4),
    ],
)
def test_run_with_a_skipped_test_fails_unless_it_is_listed_with_a_reason(
    tmp_path: Path, allowed: str, status: int
) -> None:
    (tmp_path / "test_one.py").write_text(ONE_SKIPPED)
    assert run_pytest(tmp_path, allowed).returncode == status


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_run_with_a_skipped_module_fails(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "test_all.py").write_text(ALL_SKIPPED)
    (tmp_path / "test_one.py").write_text("def test_runs(): pass\n")
    done = run_pytest(tmp_path, "", *options)
    assert (done.returncode, "test_all.py" in done.stdout.split("the run fails")[-1]) == (1, True)
    assert run_pytest(tmp_path, "test_all.py known\n", *options).returncode == 0
