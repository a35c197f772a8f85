"""Reading the configuration and the secrets from files."""

import os
import re
from pathlib import Path

import pytest

from tests.config.config_rows import VALID
from wgmqtt.config.config import parse_config
from wgmqtt.config.files import CREDENTIALS, check_secrets, read_config, read_secret
from wgmqtt.errors import ConfigError

CONTENT = "correct-horse"


def write(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def refusal(path: Path) -> str:
    """Return the message of read_secret, which never holds any of what is in the file."""
    with pytest.raises(ConfigError) as caught:
        read_secret(path)
    assert "horse" not in repr(caught.value)
    assert caught.value.__cause__ is None or "horse" not in repr(caught.value.__cause__)
    return str(caught.value)


def test_read_config_names_the_file_in_each_place(tmp_path: Path) -> None:
    path = write(tmp_path / "hub.yaml", VALID.replace("7.16", "7.15"))
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert caught.value.problems[0].where == f"{path}:19:15"


def test_read_config_is_what_parse_config_gives(tmp_path: Path) -> None:
    path = write(tmp_path / "hub.yaml", VALID, 0o644)
    assert read_config(str(path)) == parse_config(VALID, "any")


def test_read_config_missing_or_unreadable_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    expected = {
        tmp_path / "none.yaml": "cannot be read: No such file or directory",
        tmp_path: "cannot be read: Is a directory",
        fifo: "not a regular file",
        write(tmp_path / "latin.yaml", b"hub:\n  name: h\xfcb\n"): "the file is not UTF-8 (byte 14)",
    }
    for path, message in expected.items():
        with pytest.raises(ConfigError, match=re.escape(message)) as caught:
            read_config(path)
        assert str(caught.value).startswith(str(path))


def test_read_config_path_with_a_nul_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be read: embedded null byte"):
        read_config("a\0b")


@pytest.mark.parametrize("content", [CONTENT, CONTENT + "\n"])
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_read_secret_one_line_is_read_without_its_end(tmp_path: Path, content: str, mode: int) -> None:
    assert read_secret(write(tmp_path / "x.password", content, mode)) == CONTENT


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644])
def test_read_secret_others_have_a_right_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "x.password", CONTENT, mode)
    message = f"others have a right to this secret; expected mode 0600 or 0400; got mode {mode:04o} (chmod go= FILE)"
    assert refusal(path) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file with the secret is empty; expected one line of text"),
        (b"\n", "the file with the secret is empty; expected one line of text"),
        (b"horse\nhorse\n", "the file with the secret holds more than one line; expected one line of text"),
        (b"horse\n\n", "the file with the secret holds more than one line; expected one line of text"),
        (b"horse\r\n", "the secret holds a character that cannot be printed; expected one line of text"),
        (b"horse\xff\n", "the secret is not UTF-8; expected one line of text"),
        (b"horse" * 300, "the file is too large; expected 1024 bytes"),
    ],
)
def test_read_secret_not_one_line_of_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path / "x.password", content)
    assert refusal(path) == f"{path}: {message}"


def test_read_secret_missing_is_refused(tmp_path: Path) -> None:
    text = "cannot be read: No such file or directory (wgmqtt gen-mosquitto makes it)"
    assert refusal(tmp_path / "x.password") == f"{tmp_path}/x.password: {text}"


def test_read_secret_credential_of_that_name_is_read_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service may not see /etc/wgmqtt/secrets; systemd gives it a copy, which its group may read."""
    monkeypatch.setenv(CREDENTIALS, str(tmp_path))
    credential = write(tmp_path / "hub.password", CONTENT, 0o440)
    assert read_secret("/nonexistent/hub.password") == CONTENT
    assert read_secret(credential) == CONTENT


def test_read_secret_no_such_credential_is_read_from_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    monkeypatch.setenv(CREDENTIALS, str(tmp_path / "credentials"))
    path = write(tmp_path / "secrets" / "hub.password", CONTENT, 0o440)
    assert "others have a right" in refusal(path)


def test_check_secrets_says_each_that_is_wrong(tmp_path: Path) -> None:
    text = VALID.replace("/etc/wgmqtt/secrets/hub.password", f"{tmp_path}/hub.password")
    config = parse_config(f"{text}secrets_dir: {tmp_path}\n", "c.yaml")
    write(tmp_path / "hub.password", "one")
    write(tmp_path / "berlin.password", "two", 0o644)
    with pytest.raises(ConfigError) as caught:
        check_secrets(config)
    assert [problem.where for problem in caught.value.problems] == [
        f"{tmp_path}/amsterdam.password",
        f"{tmp_path}/berlin.password",
    ]
    write(tmp_path / "amsterdam.password", "three")
    (tmp_path / "berlin.password").chmod(0o600)
    check_secrets(config)


def test_check_secrets_router_without_a_link_needs_none(tmp_path: Path) -> None:
    text = VALID.replace("/etc/wgmqtt/secrets/hub.password", f"{tmp_path}/hub.password")
    config = parse_config(text.replace("  - [amsterdam, berlin]", "  []") + f"secrets_dir: {tmp_path}\n", "c.yaml")
    write(tmp_path / "hub.password", "one")
    check_secrets(config)
