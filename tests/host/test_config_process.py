"""The running daemon reads its configuration in another process: with the same result, and the same problems."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.host.daemon_process import write_config
from wgmqtt.config.load import read_config
from wgmqtt.config_process import read_config_apart
from wgmqtt.errors import ConfigError

pytestmark = pytest.mark.process


def problems_of(path: Path) -> list[str]:
    """Return the problems that are found by the other process."""
    with pytest.raises(ConfigError) as caught:
        asyncio.run(read_config_apart(path))
    return [str(problem) for problem in caught.value.problems]


def test_valid_configuration_arrives_as_it_was_read(tmp_path: Path) -> None:
    path = write_config(tmp_path, routers=20)
    assert asyncio.run(read_config_apart(path)) == read_config(path)


def test_problems_arrive_with_their_places_and_excerpts(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    path.write_text(path.read_text().replace("[amsterdam, berlin]", "[amsterdam, nobody]").replace("hub1", "HUB 1"))
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert problems_of(path) == [str(problem) for problem in caught.value.problems]
    assert len(caught.value.problems) > 1


def test_missing_configuration_or_secret_is_a_problem(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    (tmp_path / "hub.password").unlink()
    assert "hub.password" in problems_of(path)[0]
    path.unlink()
    assert "config.yaml" in problems_of(path)[0]


def test_process_that_cannot_start_python_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path / "nowhere"))
    assert "the process that reads it failed" in problems_of(write_config(tmp_path))[0]


def test_reading_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    path = write_config(tmp_path, routers=2000)

    async def run() -> None:
        reading = asyncio.create_task(read_config_apart(path))
        await asyncio.sleep(0.2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(run())
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # another process that has ended meanwhile
            assert str(path).encode() not in each.read_bytes()


def test_a_module_in_the_working_directory_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_config(tmp_path, routers=2)
    (tmp_path / "pickle.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.chdir(tmp_path)
    assert asyncio.run(read_config_apart(path)) == read_config(path)
