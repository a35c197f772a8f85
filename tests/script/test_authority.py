"""The file with the certificates that routers import: how it is read, checked, and named by its certificates."""

import hashlib
import ssl
from pathlib import Path

import pytest

from tests.config.config_rows import VALID
from wgmqtt.config.load import parse_config
from wgmqtt.errors import ConfigError
from wgmqtt.model import Config
from wgmqtt.script.authority import read_authority

DATA = Path(__file__).parents[1] / "data/tls"
ONE, TWO = DATA / "authority-one.pem", DATA / "authority-two.pem"
EXPECTED = "expected one or more certificates in PEM"


def config_with(ca_file: Path, below: str = "tls: {ca_file: %s}") -> Config:
    return parse_config(VALID.replace("  username: hub\n", f"  username: hub\n  {below % ca_file}\n"), "c.yaml")


def rejection(path: Path, content: str | None = None) -> str:
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        read_authority(config_with(path))
    return str(caught.value).removeprefix(f"{path}: ")


def id_of(path: Path) -> str:
    authority = read_authority(config_with(path))
    assert authority
    return authority.id


def test_read_authority_returns_path_and_fingerprint() -> None:
    authority = read_authority(config_with(ONE))
    assert authority
    der = ssl.PEM_cert_to_DER_cert(ONE.read_text())
    assert (authority.path, authority.fingerprints) == (str(ONE), (hashlib.sha256(der).hexdigest(),))


def test_read_authority_for_routers_takes_precedence() -> None:
    below = "tls: {ca_file: /nonexistent.pem}\n  for_routers: {host: 10.99.0.1, tls: {ca_file: %s}}"
    authority = read_authority(config_with(ONE, below))
    assert authority
    assert authority.path == str(ONE)


@pytest.mark.parametrize(
    "below", ["port: 1883 # %s", "tls: {} # %s", "tls: {ca_file: /x}\n  for_routers: {host: 10.99.0.1} # %s"]
)
def test_read_authority_without_a_file_is_none(below: str) -> None:
    assert read_authority(config_with(ONE, below)) is None


def test_authority_id_depends_on_the_certificates_alone(tmp_path: Path) -> None:
    """Remarks, other line breaks, or a certificate twice do not make a new authority."""
    other = tmp_path / "ca.pem"
    other.write_bytes(b"remark\r\n" + ONE.read_bytes().replace(b"\n", b"\r\n") + ONE.read_bytes())
    assert id_of(other) == id_of(ONE) != id_of(TWO)
    other.write_text(ONE.read_text() + TWO.read_text())
    assert id_of(other) not in (id_of(ONE), id_of(TWO))


def test_read_authority_missing_or_without_a_certificate_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    assert rejection(path) == "cannot be read: No such file or directory"
    assert rejection(path, "") == f"the file has no certificate; {EXPECTED}"
    assert rejection(path, "-----BEGIN CERTIFICATE-----\n") == f"the file has no certificate; {EXPECTED}"
    broken = ONE.read_text().replace("MII", "AII", 1)
    for text in (broken, ONE.read_text().replace("\n", "\n!", 2)):
        assert text != ONE.read_text()
        message = f"certificate 2 of the file is malformed; {EXPECTED}"
        assert rejection(path, TWO.read_text() + text) == message


def test_read_authority_with_a_private_key_is_rejected(tmp_path: Path) -> None:
    """It would be uploaded to every router. The message contains nothing of it."""
    key = (DATA / "router.key").read_text()
    message = rejection(tmp_path / "ca.pem", ONE.read_text() + key)
    assert message == f"the file has a private key, and every router would get it; {EXPECTED}"
