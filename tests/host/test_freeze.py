"""The freeze file, also one that cannot be read: a symbolic link to itself, which not even root can follow."""

from pathlib import Path

import pytest

from wgmqtt.errors import EdgeError
from wgmqtt.host.freeze import FreezeFile, freeze, freeze_path, is_frozen


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def break_file(config: Path) -> None:
    """Make the file one that can neither be read nor be known to be missing."""
    freeze_path(config).unlink(missing_ok=True)
    freeze_path(config).symlink_to(freeze_path(config))


def test_freeze_and_unfreeze_are_seen_and_may_be_repeated(config: Path) -> None:
    for wanted in (True, True, False, False):
        freeze(config, wanted=wanted)
        assert is_frozen(config) is wanted


def test_file_that_cannot_be_read_raises_instead_of_counting_as_missing(config: Path) -> None:
    break_file(config)
    with pytest.raises(EdgeError, match="cannot be read"):
        is_frozen(config)


@pytest.mark.parametrize("wanted", [True, False])
def test_file_that_becomes_unreadable_keeps_the_last_state_and_is_reported_once(config: Path, *, wanted: bool) -> None:
    freeze(config, wanted=wanted)
    file = FreezeFile(config)
    assert (file.poll(), file.is_frozen) == (False, wanted)
    break_file(config)
    assert [file.poll(), file.poll(), file.poll()] == [True, False, False]
    assert file.is_frozen is wanted
    freeze(config, wanted=False)
    assert (file.poll(), file.is_frozen, file.problem) == (False, False, None)
    break_file(config)
    assert file.poll(), "a new problem is reported again"


def test_file_that_was_never_readable_counts_as_frozen(config: Path) -> None:
    break_file(config)
    file = FreezeFile(config)
    assert (file.poll(), file.is_frozen) == (True, True)
