"""The configuration's file and the files with secrets. Edge: reads files."""

import gc
import hashlib
import os
import pickle
import re
import ssl
import stat
from pathlib import Path

from wgmqtt.config.config import parse_config
from wgmqtt.config.nodes import MAX_FILE_BYTES
from wgmqtt.errors import ConfigError, Problem
from wgmqtt.host.malloc import give_back
from wgmqtt.model import Authority, Config

MAX_SECRET_BYTES = 1024
MAX_AUTHORITY_BYTES = 256 << 10
CREDENTIALS = "CREDENTIALS_DIRECTORY"  # systemd.exec(5), LoadCredential=
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def read_config(path: str | Path) -> Config:
    """Return the configuration that the file at `path` holds.

    Raises:
        ConfigError: it cannot be read, or with every problem that is in it.
    """
    config: Config = pickle.loads(  # noqa: S301 - of our own making
        _pack(parse_config(_read_text(Path(path)), str(path)))
    )
    give_back()
    return config


def _read_text(path: Path) -> str:
    content = _read(path, MAX_FILE_BYTES)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(Problem(f"{path}:{line}", "the file is not UTF-8", hint=f"byte {error.start}")) from error


def _pack(config: Config) -> bytes:
    """Return what an equal value is made of whose parts lie together.

    Those of this one were made one by one between the nodes of the YAML text, which are twenty times as large: the
    memory of those could not be given back (ten thousand routers: 100 MiB resident before, 40 MiB after).
    """
    packed = pickle.dumps(config, pickle.HIGHEST_PROTOCOL)
    del config
    gc.collect()
    return packed


def read_secret(path: str | Path) -> str:
    """Return the one line that the file at `path` holds, without its end of line.

    Under systemd a file of the same name in `$CREDENTIALS_DIRECTORY` is read instead (LoadCredential=NAME:PATH), so
    that one configuration serves the service, which may not read `path`, and a person who may. What lies there
    is systemd's to guard, whatever its mode says.

    Raises:
        ConfigError: it is missing, empty, not one line of text, or others may read or write it. The message names
            the file, never what is in it.
    """
    path = Path(path)
    directory = os.environ.get(CREDENTIALS)
    credential = Path(directory) / path.name if directory else None
    if credential is not None and credential.is_file():
        content = _read(credential, MAX_SECRET_BYTES)
    else:
        guarded = directory is not None and path.is_relative_to(directory)
        content = _read(path, MAX_SECRET_BYTES, private=not guarded)
    return _parse_secret(content, str(path))


def secret_paths(config: Config) -> list[str]:
    """Return the files that must be there: the hub's password, and that of each router that has a link."""
    linked = {name for link in config.links for name in (link.first, link.second)}
    routers = [
        f"{config.router_password_dir}/{router.name}.password" for router in config.routers if router.name in linked
    ]
    return [config.password_file, *routers]


def check_secrets(config: Config) -> None:
    """Read every secret that the configuration needs.

    Raises:
        ConfigError: with each one that is missing or not as `read_secret` wants it.
    """
    problems: list[Problem] = []
    for path in secret_paths(config):
        try:
            read_secret(path)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)


def read_authority(config: Config) -> Authority | None:
    """Return the certificates that the routers shall trust; None if the configuration names no file with them.

    Raises:
        ConfigError: the file cannot be read, holds no certificate, or something that no router may get.
    """
    tls = config.broker_for_routers.tls
    if tls is None or not tls.ca_file:
        return None
    text = _read(Path(tls.ca_file), MAX_AUTHORITY_BYTES).decode("utf-8", "replace")
    allowed = "one or more certificates in PEM"
    if "PRIVATE KEY-----" in text:
        raise ConfigError(Problem(tls.ca_file, "a private key stands in it, and each router gets the file", allowed))
    prints = []
    for pem in _CERTIFICATE.findall(text):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
            prints.append(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest())
        except (ssl.SSLError, ValueError) as error:
            what = f"certificate {len(prints) + 1} of this file cannot be read"
            raise ConfigError(Problem(tls.ca_file, what, allowed)) from error
    if not prints:
        raise ConfigError(Problem(tls.ca_file, "no certificate stands in it", allowed))
    return Authority(tls.ca_file, tuple(dict.fromkeys(prints)))


def check_files(config: Config) -> None:
    """Read every file that the configuration names for others than the hub alone, and its own secret.

    Raises:
        ConfigError: with each one that is missing or wrong.
    """
    problems: list[Problem] = []
    for check in (check_secrets, read_authority):
        try:
            check(config)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)


def _read(path: Path, limit: int, *, private: bool = False) -> bytes:
    """Return the content of a regular file; `private`: nobody but its owner may have a right to it."""
    where = str(path)
    try:
        file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115  # Path.open has no opener; closed below
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = "wgmqtt gen-mosquitto makes it" if private and not path.exists() else ""
        raise ConfigError(Problem(where, f"cannot be read: {reason}", hint=hint)) from error
    with file:
        status = os.fstat(file.fileno())  # of what is open, so that what is checked is what is read
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(Problem(where, "not a regular file"))
        mode = stat.S_IMODE(status.st_mode)
        if private and mode & 0o077:
            given = f"mode {mode:04o}"
            raise ConfigError(
                Problem(where, "others have a right to this secret", "mode 0600 or 0400", given, "chmod go= FILE")
            )
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ConfigError(Problem(where, "the file is too large", f"{limit} bytes"))
    return content


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting: a pipe that nobody writes to would keep us for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def _parse_secret(content: bytes, where: str) -> str:
    allowed = "one line of text"
    try:
        secret = content.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        # Not "from error": that exception carries the content.
        raise ConfigError(Problem(where, "the secret is not UTF-8", allowed)) from None
    if not secret:
        raise ConfigError(Problem(where, "the file with the secret is empty", allowed))
    if "\n" in secret:
        raise ConfigError(Problem(where, "the file with the secret holds more than one line", allowed))
    if not secret.isprintable():
        raise ConfigError(Problem(where, "the secret holds a character that cannot be printed", allowed))
    return secret
