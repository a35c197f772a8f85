"""Small files that only their owner may access: reading them, from the disk or from systemd, and writing them."""

import contextlib
import grp
import os
import stat
from pathlib import Path

from wgmqtt.errors import ConfigError, EdgeError, Problem

MAX_SECRET_BYTES = 1024
PRIVATE, GROUP_READABLE = 0o600, 0o640
CREDENTIALS = "CREDENTIALS_DIRECTORY"  # systemd.exec(5), LoadCredential=


def read_file(path: Path, limit: int, *, private: bool = False) -> bytes:
    """Return the content of a regular file of at most `limit` bytes; `private`: only its owner may access it.

    Raises:
        ConfigError: the file cannot be read, or is not as required.
    """
    where = str(path)
    try:
        file = open(path, "rb", opener=_open_nonblocking)  # noqa: SIM115 - Path.open has no opener; closed below
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = (
            "wgmqtt gen-mosquitto creates it" if private and isinstance(error, FileNotFoundError) else hint_for(error)
        )
        raise ConfigError(Problem(where, f"cannot be read: {reason}", hint=hint)) from error
    with file:
        status = os.fstat(file.fileno())  # of the open file, so that nothing can change between check and read
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(Problem(where, "not a regular file"))
        mode = stat.S_IMODE(status.st_mode)
        if private and mode & 0o077:
            what, hint = "the secret file is accessible by group or others", f"chmod go= {where}"
            raise ConfigError(Problem(where, what, "mode 0600 or 0400", f"mode {mode:04o}", hint))
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ConfigError(Problem(where, "the file is too large", f"at most {limit} bytes"))
    return content


def hint_for(error: Exception) -> str:
    """Return what to do about an error of a file; empty if there is no advice."""
    return "run this as root" if isinstance(error, PermissionError) and os.geteuid() != 0 else ""


def read_secret(path: str | Path) -> str:
    """Return the line of text in the file at `path`, without its line break.

    Under systemd a file of the same name in `$CREDENTIALS_DIRECTORY` takes its place (LoadCredential=NAME:PATH), so
    that one configuration suits both the service, which may not read `path`, and a person who may. Its mode is not
    checked, because systemd protects it.

    Raises:
        ConfigError: the file is missing, accessible by others, or not one line. Its content is never in the message.
    """
    path, directory = Path(path), os.environ.get(CREDENTIALS)
    credential = Path(directory) / path.name if directory else None
    if credential is not None and credential.is_file():
        content = read_file(credential, MAX_SECRET_BYTES)
    else:
        is_protected = directory is not None and path.is_relative_to(directory)
        content = read_file(path, MAX_SECRET_BYTES, private=not is_protected)
    text = content.decode("utf-8", "replace").removesuffix("\n")
    what = ""
    if not text:
        what = "the secret file is empty"
    elif "\n" in text:
        what = "the secret file has more than one line"
    elif "\N{REPLACEMENT CHARACTER}" in text or not text.isprintable():
        what = "the secret is not printable UTF-8 text"
    if what:
        raise ConfigError(Problem(str(path), what, "one line of text"))
    return text


def write_private(path: Path, text: str, group: str = "") -> None:
    """Write a file atomically (a new file, synced, then renamed) that others can read at no moment.

    Its folder is created if it is missing. Members of `group`, if it exists, may read the file.

    Raises:
        EdgeError: it cannot be written, or something that is not a regular file has its name.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        # Renaming a file over it would destroy it: a device, a pipe, or a link to one.
        what = "cannot be written: not a regular file"
        raise EdgeError(Problem(str(path), what, hint="remove it, or name another file"))
    new_path = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o755 if group else 0o700, parents=True, exist_ok=True)
        new_path.unlink(missing_ok=True)
        opened = os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(opened, "w", encoding="ascii") as file:
            if group:
                _give_to(opened, group)
            file.write(text)
            file.flush()
            os.fsync(opened)
        new_path.rename(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new_path.unlink(missing_ok=True)
        raise EdgeError(
            Problem(str(path), f"cannot be written: {error.strerror or error}", hint=hint_for(error))
        ) from error


def _give_to(opened: int, group: str) -> None:
    """Let a group read an open file, if this process is root and there is such a group."""
    with contextlib.suppress(KeyError):
        if os.geteuid() == 0:
            os.fchown(opened, 0, grp.getgrnam(group).gr_gid)
    os.fchmod(opened, GROUP_READABLE)


def _open_nonblocking(path: str, flags: int) -> int:
    """Open without waiting: opening a pipe that has no writer would block."""
    return os.open(path, flags | os.O_NONBLOCK)
