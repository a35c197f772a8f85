"""Reading the configuration from a file."""

import os
import re
from pathlib import Path

import pytest

from tests.config.config_rows import VALID
from wgmqtt.config.load import MAX_FILE_BYTES, parse_config, read_config
from wgmqtt.errors import ConfigError


def write(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def test_read_config_names_the_file_in_each_place(tmp_path: Path) -> None:
    path = write(tmp_path / "hub.yaml", VALID.replace("7.17", "7.16"))
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert caught.value.problems[0].where == f"{path}:19:15"


def test_read_config_is_what_parse_config_gives(tmp_path: Path) -> None:
    path = write(tmp_path / "hub.yaml", VALID, 0o644)
    assert read_config(str(path)) == parse_config(VALID, "any")


def test_read_config_missing_or_malformed_file_is_rejected(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    expected = {
        tmp_path / "none.yaml": "cannot be read: No such file or directory",
        tmp_path: "cannot be read: Is a directory",
        fifo: "not a regular file",
        write(tmp_path / "latin.yaml", b"hub:\n  name: h\xfcb\n"): "not UTF-8; got byte 0xfc",
    }
    for path, message in expected.items():
        with pytest.raises(ConfigError, match=re.escape(message)) as caught:
            read_config(path)
        assert str(caught.value).startswith(str(path))


def test_read_config_path_with_nul_is_rejected() -> None:
    with pytest.raises(ConfigError, match="cannot be read: embedded null byte"):
        read_config("a\0b")


def test_read_config_too_large_file_is_rejected_unread(tmp_path: Path) -> None:
    path = write(tmp_path / "hub.yaml", "#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value) == f"{path}: the file is too large; expected at most 4194304 bytes"
