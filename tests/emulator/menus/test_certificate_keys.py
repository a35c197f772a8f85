"""`/certificate` in the emulator: names of imports, keys, and the certificates that a broker can present."""

from pathlib import Path

import pytest

from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Array, Value
from lab.routeros.menus.certificate import CertificatesMenu, sha256_of
from tests.emulator.menus.mqtt_menus import new_client
from tests.routeros.tls_script import DATA, ONE, ROUTER

KEY = "router.key"


def do_import(menu: CertificatesMenu, file: str, **named: Value) -> None:
    menu.call(Call("/certificate", "import", named={"file-name": file, **named}))


def get(menu: CertificatesMenu, name: str) -> list[Value]:
    """Return a property of every certificate."""
    found = menu.call(Call("/certificate", "find"))
    assert isinstance(found, Array)
    return [menu.call(Call("/certificate", "get", (each, name))) for each in found.items]


@pytest.mark.parametrize(("switch", "names"), [("numbered", ["own_0", "own_1"]), ("plain", ["own", "own_1"])])
def test_import_under_a_name_is_numbered_or_plain(tmp_path: Path, switch: str, names: list[str]) -> None:
    (tmp_path / "both.pem").write_text(ONE.read_text() + ROUTER.read_text())
    menu = CertificatesMenu(tmp_path, switch)
    do_import(menu, "both.pem", name="own")
    assert get(menu, "name") == names


def test_import_of_stored_certificates_adds_nothing() -> None:
    menu = CertificatesMenu(DATA)
    for name in ("first", "second"):
        do_import(menu, ONE.name, name=name)
    assert get(menu, "name") == ["first_0"]


def test_import_of_a_key_is_stored_with_its_certificate() -> None:
    menu = CertificatesMenu(DATA)
    do_import(menu, KEY)
    do_import(menu, ONE.name)
    do_import(menu, ROUTER.name)
    assert get(menu, "private-key") == [False, False]
    do_import(menu, KEY)
    assert get(menu, "private-key") == [False, True]
    assert menu.identity("router.pem_0") == ROUTER.read_text() + (DATA / KEY).read_text()


def test_import_of_a_file_with_certificate_and_key_stores_both(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text(ROUTER.read_text() + (DATA / KEY).read_text())
    menu = CertificatesMenu(tmp_path)
    do_import(menu, "own.pem")
    assert get(menu, "private-key") == [True]


def test_import_of_a_key_with_a_passphrase_is_not_implemented(tmp_path: Path) -> None:
    label = "ENCRYPTED PRIVATE KEY"
    (tmp_path / "own.key").write_text(f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
    with pytest.raises(NotImplementedInEmulator, match="passphrase"):
        do_import(CertificatesMenu(tmp_path), "own.key")


def test_find_by_fingerprint_finds_the_certificate() -> None:
    menu = CertificatesMenu(DATA)
    do_import(menu, ONE.name)
    do_import(menu, ROUTER.name)
    (_, wanted) = get(menu, "fingerprint")
    found = menu.call(Call("/certificate", "find", where=lambda item: item["fingerprint"] == wanted))
    assert isinstance(found, Array)
    assert len(found.items) == 1
    assert len(sha256_of(b"")) == 64


def test_broker_accepts_only_a_certificate_that_has_its_key() -> None:
    menu = CertificatesMenu(DATA)
    do_import(menu, ONE.name)
    do_import(menu, ROUTER.name)
    do_import(menu, KEY)
    with new_client(certificates=menu) as client:
        client.add(1, certificate="router.pem_0")
        (item,) = client.brokers.items.values()
        assert client.brokers.settings(item).identity == menu.identity("router.pem_0")
        with pytest.raises(ScriptError, match="certificate"):
            client.brokers.call(Call("/iot/mqtt/brokers", "set", ("hub",), {"certificate": "nobody"}))
        with pytest.raises(NotImplementedInEmulator, match="no private key"):
            client.brokers.call(Call("/iot/mqtt/brokers", "set", ("hub",), {"certificate": f"{ONE.name}_0"}))
        client.brokers.call(Call("/iot/mqtt/brokers", "set", ("hub",), {"certificate": "none"}))
        assert client.brokers.settings(item).identity == ""
