"""The authority that the routers shall trust, as a file of the hub: read, checked, and named by its certificates."""

import hashlib
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.config_rows import VALID
from wgmqtt.config.config import parse_config
from wgmqtt.config.files import check_files, read_authority
from wgmqtt.errors import ConfigError
from wgmqtt.model import Config

DATA = Path(__file__).parents[1] / "data/tls"
ONE, TWO = DATA / "authority-one.pem", DATA / "authority-two.pem"
ALLOWED = "expected one or more certificates in PEM"


def config_text(ca_file: Path, below: str = "tls: {ca_file: %s}") -> str:
    return VALID.replace("  username: hub\n", f"  username: hub\n  {below % ca_file}\n")


def config_with(ca_file: Path, below: str = "tls: {ca_file: %s}") -> Config:
    return parse_config(config_text(ca_file, below), "c.yaml")


def refusal(path: Path, content: str | None = None) -> str:
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        read_authority(config_with(path))
    return str(caught.value).removeprefix(f"{path}: ")


def id_of(path: Path) -> str:
    authority = read_authority(config_with(path))
    assert authority
    return authority.id


def test_read_authority_gives_path_and_fingerprint() -> None:
    authority = read_authority(config_with(ONE))
    assert authority
    der = ssl.PEM_cert_to_DER_cert(ONE.read_text())
    assert (authority.path, authority.fingerprints) == (str(ONE), (hashlib.sha256(der).hexdigest(),))


def test_read_authority_is_of_the_routers_broker() -> None:
    told = "tls: {ca_file: /nonexistent.pem}\n  for_routers: {host: 10.99.0.1, tls: {ca_file: %s}}"
    authority = read_authority(config_with(ONE, told))
    assert authority
    assert authority.path == str(ONE)


@pytest.mark.parametrize(
    "below", ["port: 1883 # %s", "tls: {} # %s", "tls: {ca_file: /x}\n  for_routers: {host: 10.99.0.1} # %s"]
)
def test_read_authority_without_a_file_is_none(below: str) -> None:
    assert read_authority(config_with(ONE, below)) is None


def test_id_is_of_the_certificates_alone(tmp_path: Path) -> None:
    """Remarks, other line ends, or the same certificate twice are no new authority."""
    other = tmp_path / "ca.pem"
    other.write_bytes(b"remark\r\n" + ONE.read_bytes().replace(b"\n", b"\r\n") + ONE.read_bytes())
    assert id_of(other) == id_of(ONE) != id_of(TWO)
    other.write_text(ONE.read_text() + TWO.read_text())
    assert id_of(other) not in (id_of(ONE), id_of(TWO))


def test_read_authority_missing_or_without_a_certificate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    assert refusal(path) == "cannot be read: No such file or directory"
    assert refusal(path, "") == f"no certificate stands in it; {ALLOWED}"
    assert refusal(path, "-----BEGIN CERTIFICATE-----\n") == f"no certificate stands in it; {ALLOWED}"
    broken = ONE.read_text().replace("MII", "AII", 1)
    for text in (broken, ONE.read_text().replace("\n", "\n!", 2)):
        assert text != ONE.read_text()
        message = f"certificate 2 of this file cannot be read; {ALLOWED}"
        assert refusal(path, TWO.read_text() + text) == message


def test_read_authority_with_a_private_key_is_refused(tmp_path: Path) -> None:
    """It would be uploaded to every router. The message shows none of it."""
    key = (DATA / "router.key").read_text()
    message = refusal(tmp_path / "ca.pem", ONE.read_text() + key)
    assert message == f"a private key stands in it, and each router gets the file; {ALLOWED}"


def test_check_files_says_secrets_and_authority_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        check_files(config_with(tmp_path / "ca.pem"))
    places = [Path(problem.where).name for problem in caught.value.problems]
    assert places == ["hub.password", "amsterdam.password", "berlin.password", "ca.pem"]


@pytest.mark.process
def test_gen_rsc_reads_the_file_and_check_config_says_when_it_is_missing(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(config_text(ONE))

    def wgmqtt(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "wgmqtt", *words, "-c", str(config)]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words

    done = wgmqtt("gen-rsc", "berlin", "--redact")
    assert done.returncode == 0, done.stderr
    assert f"wgmqtt-ca-{id_of(ONE)}" in done.stdout
    config.write_text(config_text(tmp_path / "ca.pem"))
    for words in (("gen-rsc", "berlin", "--redact"), ("check-config",)):
        done = wgmqtt(*words)
        assert done.returncode == 78
        assert f"{tmp_path}/ca.pem: cannot be read: No such file or directory" in done.stderr
    assert wgmqtt("gen-rsc", "berlin", "--remove").returncode == 0
