"""`/certificate`: certificates of authorities, imported from the router's files, for brokers with ssl=yes. Edge: files.

An import takes each certificate of a PEM file and calls them `FILE_0`, `FILE_1`, … as RouterOS does. Keys, requests and
revocation lists are not implemented.
"""

import re
import ssl
from collections.abc import Mapping
from pathlib import Path

from lab.routeros.arguments import read_bool, read_text
from lab.routeros.call import Call
from lab.routeros.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.menu_items import Change, Item, ItemMenu
from lab.routeros.values import Nothing, Value, render

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
_ARGUMENTS = {"file-name", "passphrase", "name", "trusted"}


class CertificatesMenu(ItemMenu):
    """`/certificate`; `files` is the directory that stands for the router's files."""

    def __init__(self, files: Path) -> None:
        super().__init__("/certificate", {"name": read_text, "trusted": read_bool}, ())
        self._files = files
        self._pem: dict[str, str] = {}

    def call(self, call: Call) -> Value:
        """Carry out one command."""
        return self._import(call) if call.verb == "import" else super().call(call)

    def authorities(self) -> tuple[str, ...]:
        """Return the PEM texts of what is trusted."""
        with self.lock:
            trusted = [item for item in self.items.values() if item.kept["trusted"] is True]
            return tuple(self._pem[item.id.text] for item in trusted)

    def changed(self, change: Change) -> None:
        """Do nothing: the next connection asks."""

    def removed(self, item: Item) -> None:
        """Do nothing: the next connection asks."""

    def check(self, kept: Mapping[str, Value], item: Item | None) -> None:
        """Refuse `add`: it makes a template, to be signed here."""
        if item is None:
            raise NotImplementedInEmulator(f"{self.path}/add of {', '.join(kept)}")

    def _import(self, call: Call) -> Value:
        unknown = (set(call.named) - _ARGUMENTS) | call.flags
        if unknown or call.unnamed:
            raise NotImplementedInEmulator(
                f"{self.path}/import with {', '.join(sorted(unknown)) or 'an unnamed value'}"
            )
        if "file-name" not in call.named:
            raise ScriptError("missing value(s) of argument(s) file-name")
        name = read_text("file-name", call.named["file-name"])
        file = self._files / name
        if not file.is_file():
            raise ScriptError("input does not match any value of file-name")
        found = _PEM.findall(file.read_text("ascii", "replace"))
        base = render(call.named.get("name", name))
        trusted = read_bool("trusted", call.named.get("trusted", True))
        for number, pem in enumerate(found):
            ssl.PEM_cert_to_DER_cert(pem)
            self._pem[self.append({"name": f"{base}_{number}", "trusted": trusted}).id.text] = pem
        return Nothing()
