"""Reading secrets from files and from systemd's credentials."""

import os
from pathlib import Path

import pytest

from wgmqtt.errors import ConfigError, EdgeError
from wgmqtt.host.secrets import CREDENTIALS, read_secret, write_private

CONTENT = "correct-horse"


def write(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def rejection(path: Path) -> str:
    """Return the message of read_secret, which never contains anything from the file."""
    with pytest.raises(ConfigError) as caught:
        read_secret(path)
    assert "horse" not in repr(caught.value)
    assert caught.value.__cause__ is None or "horse" not in repr(caught.value.__cause__)
    return str(caught.value)


@pytest.mark.parametrize("content", [CONTENT, CONTENT + "\n"])
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_read_secret_one_line_is_read_without_its_end(tmp_path: Path, content: str, mode: int) -> None:
    assert read_secret(write(tmp_path / "x.password", content, mode)) == CONTENT


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644])
def test_read_secret_accessible_by_others_is_rejected(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "x.password", CONTENT, mode)
    message = "the secret file is accessible by group or others; expected mode 0600 or 0400"
    assert rejection(path) == f"{path}: {message}; got mode {mode:04o} (chmod go= {path})"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the secret file is empty; expected one line of text"),
        (b"\n", "the secret file is empty; expected one line of text"),
        (b"horse\nhorse\n", "the secret file has more than one line; expected one line of text"),
        (b"horse\n\n", "the secret file has more than one line; expected one line of text"),
        (b"horse\r\n", "the secret is not printable UTF-8 text; expected one line of text"),
        (
            b"horse\xff\n",
            "the secret is not printable UTF-8 text; expected one line of text",
        ),
        (b"horse" * 300, "the file is too large; expected at most 1024 bytes"),
    ],
)
def test_read_secret_not_one_line_of_text_is_rejected(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path / "x.password", content)
    assert rejection(path) == f"{path}: {message}"


def test_read_secret_missing_is_rejected(tmp_path: Path) -> None:
    text = "cannot be read: No such file or directory (wgmqtt gen-mosquitto creates it)"
    assert rejection(tmp_path / "x.password") == f"{tmp_path}/x.password: {text}"


def test_read_secret_credential_of_that_name_is_read_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service may not read /etc/wgmqtt/secrets; systemd gives it a copy that its group may read."""
    monkeypatch.setenv(CREDENTIALS, str(tmp_path))
    credential = write(tmp_path / "hub.password", CONTENT, 0o440)
    assert read_secret("/nonexistent/hub.password") == CONTENT
    assert read_secret(credential) == CONTENT


def test_read_secret_no_such_credential_is_read_from_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    monkeypatch.setenv(CREDENTIALS, str(tmp_path / "credentials"))
    path = write(tmp_path / "secrets" / "hub.password", CONTENT, 0o440)
    assert "accessible by group or others" in rejection(path)


@pytest.mark.parametrize("kind", ["pipe", "link", "directory"])
def test_write_private_over_what_is_no_regular_file_is_refused_and_leaves_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(tmp_path / "elsewhere")
        case _:
            path.mkdir()
    before = path.lstat()
    with pytest.raises(EdgeError, match="not a regular file"):
        write_private(path, "text")
    assert path.lstat().st_ino == before.st_ino
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
