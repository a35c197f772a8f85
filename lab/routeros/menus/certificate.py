"""`/certificate`: certificates imported from the router's files, for brokers with ssl=yes.

An import takes each certificate of a PEM file and names them `FILE_0`, `FILE_1`, … as RouterOS does. A key is stored
with its certificate; a key without a certificate is ignored. Keys with a passphrase, requests and revocation lists are
not implemented.
"""

import hashlib
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Nothing, Value, render
from lab.routeros.menus.arguments import read_bool, read_text
from lab.routeros.menus.items import Change, Item, ItemMenu
from lab.routeros.mqtt.client import load_identity

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----.*?-----END \1-----\n?", re.DOTALL)
_ARGUMENTS = {"file-name", "passphrase", "name", "trusted"}


def sha256_of(certificate: bytes) -> str:
    """Return a fingerprint as RouterOS 7 shows it (in users' scripts)."""
    return hashlib.sha256(certificate).hexdigest()


class CertificatesMenu(ItemMenu):
    """`/certificate`; `files` is the directory that represents the router's files.

    `imported_name` is the switch of that name. Two facts are known from users only, and can be changed: the form of a
    `fingerprint`, and that an import skips what is already stored (a second import reports certificates-imported: 0).
    """

    def __init__(self, files: Path, imported_name: str = "numbered") -> None:
        super().__init__("/certificate", {"name": read_text, "trusted": read_bool}, ("fingerprint", "private-key"))
        self.files = files
        self.fingerprint: Callable[[bytes], str] = sha256_of
        self.leaves_out_known = True
        self._imported_name = imported_name
        self._pem: dict[str, str] = {}
        self._keys: dict[str, str] = {}

    def call(self, call: Call) -> Value:
        """Carry out one command."""
        return self._import(call) if call.verb == "import" else super().call(call)

    def properties(self, item: Item) -> Mapping[str, Value]:
        """Return the stored properties and those of the certificate."""
        print_ = self.fingerprint(ssl.PEM_cert_to_DER_cert(self._pem[item.id.text]))
        return {**super().properties(item), "fingerprint": print_, "private-key": item.id.text in self._keys}

    def authorities(self) -> tuple[str, ...]:
        """Return the PEM texts of the trusted certificates."""
        with self.lock:
            trusted = [item for item in self.items.values() if item.kept["trusted"] is True]
            return tuple(self._pem[item.id.text] for item in trusted)

    def identity(self, name: str) -> str:
        """Return the certificate of this name and its key as PEM.

        Raises:
            ScriptError: there is no such certificate.
            NotImplementedInEmulator: it has no key.
        """
        with self.lock:
            found = [item.id.text for item in self.items.values() if item.kept["name"] == name]
        if not found:
            raise ScriptError("input does not match any value of certificate")
        if found[0] not in self._keys:
            raise NotImplementedInEmulator(f"certificate={name}, which has no private key")
        return self._pem[found[0]] + self._keys[found[0]]

    def changed(self, change: Change) -> None:
        """Do nothing: the next connection reads the certificates."""

    def removed(self, item: Item) -> None:
        """Do nothing: the next connection reads the certificates."""

    def check(self, kept: Mapping[str, Value], item: Item | None) -> None:
        """Reject `add`, which makes a template to be signed on the router."""
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
        file = self.files / name
        if not file.is_file():
            raise ScriptError("input does not match any value of file-name")
        text = file.read_text("ascii", "replace")
        trusted = read_bool("trusted", call.named.get("trusted", True))
        with self.lock:
            stored = [self._pem[item.id.text] for item in self.items.values()] if self.leaves_out_known else []
            known = {ssl.PEM_cert_to_DER_cert(pem) for pem in stored}
            fresh = [pem for pem in _PEM.findall(text) if ssl.PEM_cert_to_DER_cert(pem) not in known]
            for number, pem in enumerate(fresh):
                plain = "name" in call.named and number == 0 and self._imported_name == "plain"
                base = render(call.named.get("name", name))
                kept: dict[str, Value] = {"name": base if plain else f"{base}_{number}", "trusted": trusted}
                self._pem[self.append(kept).id.text] = pem
            for key in _KEY.finditer(text):
                self._keep_key(key[0])
        return Nothing()

    def _keep_key(self, key: str) -> None:
        if "ENCRYPTED" in key:
            raise NotImplementedInEmulator(f"{self.path}/import of a key with a passphrase")
        for item in self.items.values():
            try:
                load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self._pem[item.id.text] + key)
            except ssl.SSLError:
                continue
            self._keys[item.id.text] = key
