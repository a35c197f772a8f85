"""`/certificate/import`, and brokers with ssl=yes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Array, Value
from lab.routeros.menus.certificate import CertificatesMenu
from lab.testbed.loopback_broker import Broker, running_broker
from tests.emulator.menus.mqtt_menus import new_client

pytestmark = pytest.mark.lab


def make_certificate(directory: Path, name: str) -> Path:
    """Create a self-signed certificate for 127.0.0.1, and its key beside it."""
    file, key = directory / f"{name}.pem", directory / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key)]
    subprocess.run([*command, "-out", str(file)], check=True, capture_output=True)  # noqa: S603 - our own words
    key.chmod(0o644)
    return file


@pytest.fixture
def tls_broker(tmp_path: Path) -> Iterator[Broker]:
    """Yield a mosquitto with TLS and the certificate `ca.pem`."""
    file = make_certificate(tmp_path, "ca")
    with running_broker(tmp_path, f"certfile {file}\nkeyfile {file.with_suffix('.key')}") as broker:
        yield broker


def do_import(files: Path, **named: Value) -> CertificatesMenu:
    menu = CertificatesMenu(files)
    menu.call(Call("/certificate", "import", named={name.replace("_", "-"): value for name, value in named.items()}))
    return menu


def test_import_names_certificates_after_the_file(tmp_path: Path) -> None:
    file = make_certificate(tmp_path, "ca")
    file.write_text(file.read_text() + make_certificate(tmp_path, "second").read_text())
    menu = do_import(tmp_path, file_name="ca.pem", passphrase="")
    found = menu.call(Call("/certificate", "find"))
    assert isinstance(found, Array)
    assert [menu.call(Call("/certificate", "get", (each, "name"))) for each in found.items] == ["ca.pem_0", "ca.pem_1"]
    assert len(menu.authorities()) == 2


def test_import_of_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="file-name"):
        do_import(tmp_path, file_name="none.pem")


def test_untrusted_or_removed_certificate_is_not_an_authority(tmp_path: Path) -> None:
    make_certificate(tmp_path, "ca")
    menu = do_import(tmp_path, file_name="ca.pem")
    menu.call(Call("/certificate", "set", ("ca.pem_0",), {"trusted": False}))
    assert menu.authorities() == ()
    menu.call(Call("/certificate", "remove", ("ca.pem_0",)))
    assert menu.call(Call("/certificate", "find")) == Array()


def test_add_is_not_implemented(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedInEmulator):
        CertificatesMenu(tmp_path).call(Call("/certificate", "add", named={"name": "x"}))


def test_connect_ssl_with_imported_authority_works(tls_broker: Broker) -> None:
    menu = do_import(tls_broker.directory, file_name="ca.pem", passphrase="")
    with new_client(certificates=menu) as client:
        client.add(tls_broker.port, ssl=True)
        client.order("connect")
        assert client.connected() is True


def test_connect_ssl_without_authority_is_an_error(tls_broker: Broker) -> None:
    with new_client() as client:
        client.add(tls_broker.port, ssl=True)
        with pytest.raises(ScriptError, match="CERTIFICATE_VERIFY_FAILED"):
            client.order("connect")
