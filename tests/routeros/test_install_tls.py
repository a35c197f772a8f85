"""The installer with TLS, on routers in memory: the authority's import and the router's own certificate."""

from pathlib import Path

import pytest

from lab.fuzz.handler_rig import TABLE_TOPIC, Outcome, entry, place_of, script_of_removal, table
from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Nothing, Value, render
from lab.routeros.menus.certificate import CertificatesMenu
from lab.routeros.switches import Switches
from tests.routeros.tls_script import DATA, ONE, ROUTER, TWO, UPLOADED, TlsRouter, name_of, tls_script


@pytest.fixture(params=["numbered", "plain"])
def router(request: pytest.FixtureRequest, tmp_path: Path) -> TlsRouter:
    """Give a router without the file, for both ways in which an import may name certificates."""
    return TlsRouter(tmp_path, Switches(imported_name=request.param))


def imported(router: TlsRouter, ca_file: Path, number: int = 0) -> str:
    plain = router.router.switches.imported_name == "plain" and number == 0
    return name_of(ca_file) + ("" if plain else f"_{number}")


def refusal(router: TlsRouter, script: str) -> str:
    """Return the error with which the import stops; require that it changed nothing and says so."""
    before, links, arrivals = router.kept(), list(router.broker.links), len(router.broker.arrivals)
    with pytest.raises(ScriptError) as caught:
        router.install(script)
    assert router.kept() == before
    assert (router.broker.links, len(router.broker.arrivals)) == (links, arrivals)
    assert "Nothing was changed." in str(caught.value)
    return str(caught.value)


def test_install_imports_the_authority_and_connects_with_it(router: TlsRouter) -> None:
    router.upload(ONE)
    router.broker.retained[TABLE_TOPIC] = table(entry(1, place_of(1, 2000)))
    router.install(tls_script())
    assert router.names() == [imported(router, ONE)]
    (arrival,) = router.broker.arrivals
    assert (arrival.tls, arrival.port, arrival.identity) == (True, 8883, "")
    assert arrival.authorities == router.certificates.authorities()
    assert len(arrival.authorities) == 1
    assert Outcome(tuple(router.events)).places == [(1, place_of(1, 2000))]
    assert [line for line in router.said() if line.startswith("warning: ")] == []
    assert router.said()[-1] == "wgmqtt: installed. Delete the imported file: it contains a password."


def test_install_twice_equals_once_without_the_file(router: TlsRouter) -> None:
    router.upload(ONE)
    router.install(tls_script())
    once = router.kept()
    (router.certificates.files / UPLOADED).unlink()
    router.install(tls_script())
    assert router.kept() == once


def test_install_without_the_file_is_refused_and_says_which(router: TlsRouter) -> None:
    error = refusal(router, tls_script())
    assert f"upload the hub's file {ONE} to this router as {UPLOADED}." in error
    assert "does not match any value of file-name" in error


def test_install_with_a_file_that_holds_no_certificate_is_refused(router: TlsRouter) -> None:
    router.upload(DATA.parent / "table.nft")
    assert "it contains no certificate" in refusal(router, tls_script())


def test_install_with_another_file_than_the_hubs_is_refused(router: TlsRouter) -> None:
    """With wgmqtt's name it would stay for ever, because an existing certificate is not imported again."""
    router.upload(TWO)
    assert "The file here contains other certificates" in refusal(router, tls_script())
    router.upload(ONE)
    router.install(tls_script())
    assert router.names() == [imported(router, ONE)]


@pytest.mark.parametrize("form", ["", "AA:BB", "Z" * 64, "ab" * 20])
def test_install_goes_by_the_name_where_fingerprints_look_otherwise(router: TlsRouter, form: str) -> None:
    router.certificates.fingerprint = lambda _: form
    router.upload(ONE)
    for _ in range(2):
        router.install(tls_script())
    assert router.names() == [imported(router, ONE)]
    assert router.broker.arrivals


def test_install_with_an_authority_that_is_there_under_another_name_imports_nothing(router: TlsRouter) -> None:
    router.has(ONE, "office ca")
    router.install(tls_script())
    assert router.names() == ["office ca"]
    router.certificates.call(Call("/certificate", "set", ("office ca",), {"trusted": False}))
    router.install(tls_script())
    assert "warning: certificate office ca has trusted=no: set it to yes" in router.said()


def test_install_of_a_file_with_two_imports_what_is_lacking(router: TlsRouter) -> None:
    both = router.certificates.files / "both.pem"
    both.write_text(ONE.read_text() + TWO.read_text())
    script = tls_script(both)
    router.upload(both)
    router.install(script)
    assert router.names() == [imported(router, both), imported(router, both, 1)]
    once = router.kept()
    router.install(script)
    assert router.kept() == once


def test_install_with_a_new_authority_removes_the_older_of_ours_and_no_other(router: TlsRouter) -> None:
    router.has(ROUTER, "wgmqtt", key=True)
    router.upload(ONE)
    router.install(tls_script(ONE))
    refusal(router, tls_script(TWO))
    assert router.names() == ["wgmqtt", imported(router, ONE)]
    router.upload(TWO)
    router.install(tls_script(TWO))
    assert router.names() == ["wgmqtt", imported(router, TWO)]


def test_install_after_an_overlap_of_two_removes_the_old_one_and_needs_no_file(router: TlsRouter) -> None:
    both = router.certificates.files / "both.pem"
    both.write_text(ONE.read_text() + TWO.read_text())
    for ca_file in (ONE, both):
        router.upload(ca_file)
        router.install(tls_script(ca_file))
    (router.certificates.files / UPLOADED).unlink()
    for _ in range(2):
        router.install(tls_script(TWO))
    assert router.names() == [imported(router, both)]
    assert len(router.broker.arrivals[-1].authorities) == 1


def test_install_where_an_import_takes_what_is_there_already_does_not_import_twice(router: TlsRouter) -> None:
    router.certificates.leaves_out_known = False
    router.has(ONE, "office ca")
    router.upload(ONE)
    router.install(tls_script())
    assert router.names() == ["office ca"]
    assert "The file here contains other certificates" in refusal(router, tls_script(TWO))
    router.certificates.fingerprint = lambda _: "AA:BB"
    for _ in range(2):
        router.install(tls_script())
    assert router.names() == ["office ca", imported(router, ONE)]


def test_install_keeps_of_a_larger_file_only_what_the_hub_trusts(router: TlsRouter) -> None:
    (router.certificates.files / UPLOADED).write_text(TWO.read_text() + ONE.read_text())
    router.install(tls_script(ONE))
    assert router.certificates.authorities() == (ONE.read_text(),)


@pytest.mark.parametrize("form", [None, "AA:BB"])
def test_install_with_a_further_authority_keeps_the_one_that_still_counts(router: TlsRouter, form: str | None) -> None:
    """It has the older name, and the import skips it because it is there."""
    router.certificates.fingerprint = (lambda _: form) if form else router.certificates.fingerprint
    router.upload(ONE)
    router.install(tls_script(ONE))
    both = router.certificates.files / "both.pem"
    both.write_text(ONE.read_text() + TWO.read_text())
    router.upload(both)
    router.install(tls_script(both))
    assert router.names() == [imported(router, ONE), imported(router, both)]
    assert len(router.broker.arrivals[-1].authorities) == 2


def test_install_keeps_older_authorities_beside_a_certificate_of_its_own(router: TlsRouter) -> None:
    router.has(ROUTER, "own", key=True)
    router.upload(ONE)
    router.install(tls_script(ONE, "own"))
    router.upload(TWO)
    router.install(tls_script(TWO, "own"))
    assert router.names() == ["own", imported(router, ONE), imported(router, TWO)]


def test_install_waits_for_an_import_that_ends_after_the_command(router: TlsRouter) -> None:
    class LateMenu(CertificatesMenu):
        def call(self, call: Call) -> Value:
            if call.verb != "import":
                return super().call(call)
            router.clock.after(1.0, lambda: self.finish(call))
            return Nothing()

        def finish(self, call: Call) -> None:
            super().call(call)

    late = LateMenu(router.certificates.files, router.router.switches.imported_name)
    router.router._menus = {**router.router._menus, "/certificate": late}
    router.upload(ONE)
    router.install(tls_script())
    assert router.names() == [imported(router, ONE)]


def test_remove_takes_the_authority_and_no_other_certificate(router: TlsRouter) -> None:
    router.has(ROUTER, "my wgmqtt-ca-", key=True)
    before = router.kept()
    router.upload(ONE)
    router.install(tls_script())
    router.install(script_of_removal())
    assert router.kept() == before


# The router's own certificate


def test_install_shows_the_routers_own_certificate_to_the_broker(router: TlsRouter) -> None:
    router.has(ROUTER, "my own", key=True)
    router.upload(ONE)
    for _ in range(2):
        router.install(tls_script(ONE, "my own"))
    (broker,) = (item for place, item in router.kept().items() if "brokers" in place)
    assert render(broker["certificate"]) == "my own"
    assert "PRIVATE KEY" in router.broker.arrivals[-1].identity
    assert [line for line in router.said() if line.startswith("warning: ")] == []


def test_install_without_the_routers_own_certificate_is_refused(router: TlsRouter) -> None:
    router.upload(ONE)
    router.has(ROUTER, "another", key=True)
    assert "there is no certificate own in /certificate. Nothing was changed." in refusal(
        router, tls_script(ONE, "own")
    )


def test_install_warns_of_an_own_certificate_without_its_key(router: TlsRouter) -> None:
    router.upload(ONE)
    router.has(ROUTER, "own")
    with pytest.raises(NotImplementedInEmulator, match="no private key"):
        router.install(tls_script(ONE, "own"))
    assert "warning: certificate own has no private key here: import that too" in router.said()
