"""check-config: everything that is wrong with the files that a configuration names."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.config_rows import VALID
from wgmqtt.cli.check_config import check_files
from wgmqtt.config.load import parse_config
from wgmqtt.errors import ConfigError
from wgmqtt.model import Config

CERTIFICATE = Path(__file__).parents[1] / "data/tls/authority-one.pem"


def write(path: Path, content: str, mode: int = 0o600) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


def config_text(folder: Path, broker: str = "") -> str:
    """Return the valid configuration with its secrets in `folder` and more keys of the broker."""
    text = VALID.replace("/etc/wgmqtt/secrets/", f"{folder}/").replace(
        "  username: hub\n", f"  username: hub\n{broker}"
    )
    return f"{text}secrets_dir: {folder}\n"


def config_in(folder: Path, broker: str = "") -> Config:
    return parse_config(config_text(folder, broker), "c.yaml")


def wrong_files(config: Config) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check_files(config)
    return [Path(problem.where).name for problem in caught.value.problems]


def test_check_files_reports_every_file(tmp_path: Path) -> None:
    config = config_in(tmp_path, f"  tls: {{ca_file: {tmp_path}/ca.pem}}\n")
    assert wrong_files(config) == ["hub.password", "amsterdam.password", "berlin.password", "ca.pem"]
    write(tmp_path / "hub.password", "one")
    write(tmp_path / "berlin.password", "two", 0o644)
    assert wrong_files(config) == ["amsterdam.password", "berlin.password", "ca.pem"]
    write(tmp_path / "amsterdam.password", "three")
    (tmp_path / "berlin.password").chmod(0o600)
    write(tmp_path / "ca.pem", CERTIFICATE.read_text())
    check_files(config)


def test_check_files_router_without_a_link_needs_no_secret(tmp_path: Path) -> None:
    text = config_text(tmp_path).replace("  - [amsterdam, berlin]", "  []")
    write(tmp_path / "hub.password", "one")
    check_files(parse_config(text, "c.yaml"))


@pytest.mark.process
def test_check_config_and_gen_rsc_name_a_missing_certificate_file(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(config_text(tmp_path, f"  tls: {{ca_file: {CERTIFICATE}}}\n"))

    def wgmqtt(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "wgmqtt", *words, "-c", str(config)]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words

    done = wgmqtt("gen-rsc", "berlin", "--redact")
    assert done.returncode == 0, done.stderr
    assert "wgmqtt-ca-" in done.stdout
    config.write_text(config_text(tmp_path, f"  tls: {{ca_file: {tmp_path}/ca.pem}}\n"))
    for words in (("gen-rsc", "berlin", "--redact"), ("check-config",)):
        done = wgmqtt(*words)
        assert done.returncode == 78
        assert f"{tmp_path}/ca.pem: cannot be read: No such file or directory" in done.stderr
    assert wgmqtt("gen-rsc", "berlin", "--remove").returncode == 0
