"""No test reads a file of a wgmqtt that is installed on this machine: tests/conftest.py forbids it."""

from pathlib import Path

import pytest

from tests.conftest import REAL_PATHS
from wgmqtt.host.secrets import read_secret


@pytest.mark.parametrize("folder", REAL_PATHS)
def test_opening_a_real_path_fails_the_test(folder: str) -> None:
    with pytest.raises(AssertionError, match="belongs to this machine"):
        read_secret(Path(folder) / "hub.password")
