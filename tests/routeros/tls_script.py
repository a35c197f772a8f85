"""Scripts for a broker with TLS, and routers in memory with the files that such scripts need."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lab.fuzz.handler_rig import INTERFACE, PASSWORD, hub_peer, make_config, peer
from lab.fuzz.harm import kept_by
from lab.routeros.language.values import Value
from lab.routeros.menus.certificate import CertificatesMenu
from lab.routeros.models.router import USUAL, ModelRouter
from lab.routeros.switches import Switches
from wgmqtt.model import BrokerAddress, Config, Tls
from wgmqtt.script.authority import read_authority
from wgmqtt.script.render import Options, render_script
from wgmqtt.script.templates import read_templates

DATA = Path(__file__).parents[1] / "data/tls"
ONE, TWO, ROUTER = DATA / "authority-one.pem", DATA / "authority-two.pem", DATA / "router.pem"
UPLOADED = "wgmqtt-ca.pem"
VERSION = "7.20.8"
OWN_NAME = "my [own] {cert};'"


def tls_config(ca_file: Path | None, own: str = "", broker: BrokerAddress | None = None) -> Config:
    """Return a configuration with TLS between routers and broker; `own` is the certificate of the one under test."""
    config = make_config(1, (7, 20))
    tls = Tls("" if ca_file is None else str(ca_file))
    first, *others = config.routers
    return replace(
        config,
        broker_for_routers=replace(broker or BrokerAddress("10.99.0.1", 8883), tls=tls),
        routers=(replace(first, client_certificate=own), *others),
    )


def tls_script(ca_file: Path | None = ONE, own: str = "", broker: BrokerAddress | None = None) -> str:
    """Return what gen-rsc prints for it."""
    config = tls_config(ca_file, own, broker)
    options = Options(authority=read_authority(config))
    return render_script(config, config.routers[0], PASSWORD, read_templates(), options)


def name_of(ca_file: Path) -> str:
    """Return how the names of what comes from this file begin."""
    authority = read_authority(tls_config(ca_file))
    assert authority
    return f"wgmqtt-ca-{authority.id}"


def certificates_of(router: ModelRouter) -> CertificatesMenu:
    """Return its menu of certificates."""
    menu = router.router.menu("/certificate")
    assert isinstance(menu, CertificatesMenu)
    return menu


def give_files(router: ModelRouter, files: Path) -> None:
    """Put what a script may need into `files` and the router's store: the hub's file, a certificate with its key."""
    certificates_of(router).files = files
    for source, name in ((ONE, UPLOADED), (ROUTER, "x.pem"), (ROUTER.with_suffix(".key"), "x.key")):
        shutil.copyfile(source, files / name)
    for name in ("x.pem", "x.key"):
        router.router.run_script(f'/certificate/import file-name={name} passphrase=""')
    router.router.run_script(f'/certificate/set [find where name="x.pem_0"] name="{OWN_NAME}"')


class TlsRouter(ModelRouter):
    """A router whose files lie in a directory of its own."""

    def __init__(self, files: Path, switches: Switches = USUAL) -> None:
        super().__init__(VERSION, [hub_peer(), peer(1)], switches, INTERFACE)
        self.certificates.files = files

    @property
    def certificates(self) -> CertificatesMenu:
        """Return the menu."""
        return certificates_of(self)

    def upload(self, source: Path, name: str = UPLOADED) -> None:
        """Put a file on the router."""
        shutil.copyfile(source, self.certificates.files / name)

    def has(self, source: Path, name: str, *, key: bool = False) -> None:
        """Import a certificate under a name, as a person would."""
        self.upload(source, "x.pem")
        self.router.run_script('/certificate/import file-name=x.pem passphrase=""')
        if key:
            self.upload(source.with_suffix(".key"), "x.key")
            self.router.run_script('/certificate/import file-name=x.key passphrase=""')
        self.router.run_script(f'/certificate/set [find where name~"^x.pem"] name="{name}"')

    def names(self) -> list[str]:
        """Return the names in /certificate, in order."""
        return [str(item.kept["name"]) for item in self.certificates.items.values()]

    def said(self) -> list[str]:
        """Return what was printed."""
        return [str(event.fields["text"]) for event in self.find("put")]

    def kept(self) -> Mapping[str, Mapping[str, Value]]:
        """Return all that the router keeps."""
        return kept_by(self).items
