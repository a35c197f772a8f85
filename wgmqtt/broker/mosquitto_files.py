"""Creates missing passwords and writes mosquitto's files."""

import grp
import os
import secrets
from pathlib import Path

from wgmqtt.broker.mosquitto import VIEWER, render_access, render_configuration, render_passwords
from wgmqtt.errors import EdgeError, Problem
from wgmqtt.host.secrets import read_secret
from wgmqtt.model import Config

PRIVATE = 0o600
GROUP_READABLE = 0o640
SECRET_BYTES = 24  # 192 bits
SALT_BYTES = 12


def write_private(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Write a file atomically (a new file, synced, then renamed) that others can read at no moment."""
    new_path = path.with_name(f".{path.name}.new")
    try:
        new_path.unlink(missing_ok=True)
        opened = os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(opened, "w", encoding="ascii") as file:
            if mode == GROUP_READABLE:
                _give_to_mosquitto(opened)
            os.fchmod(opened, mode)
            file.write(text)
            file.flush()
            os.fsync(opened)
        new_path.rename(path)
    except OSError as error:
        raise EdgeError(Problem(str(path), "cannot be written", "", error.strerror or str(error))) from error


def make_missing_secrets(config: Config) -> list[Path]:
    """Create a random password for each user without one; return the paths of the new files."""
    made = []
    for path in _secret_files(config).values():
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, secrets.token_urlsafe(SECRET_BYTES) + "\n")
            made.append(path)
    return made


def write_mosquitto(config: Config, folder: Path) -> list[Path]:
    """Write mosquitto's configuration, ACL and password file below `folder`; return the paths."""
    users = {user: read_secret(path) for user, path in _secret_files(config).items()}
    salts = {user: secrets.token_bytes(SALT_BYTES) for user in users}
    files = {
        folder / "wgmqtt.passwd": render_passwords(users, salts),
        folder / "wgmqtt.acl": render_access(config),
        folder / "conf.d" / "wgmqtt.conf": render_configuration(config, str(folder)),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, text, GROUP_READABLE)
    return list(files)


def _secret_files(config: Config) -> dict[str, Path]:
    folder = Path(config.router_password_dir)
    names = [VIEWER, *(router.name for router in config.routers)]
    return {config.username: Path(config.password_file)} | {name: folder / f"{name}.password" for name in names}


def _give_to_mosquitto(opened: int) -> None:
    """Let mosquitto read the file at a reload, when it has dropped root; do nothing if there is no such group."""
    try:
        group = grp.getgrnam("mosquitto").gr_gid
    except KeyError:
        return
    if os.geteuid() == 0:
        os.fchown(opened, 0, group)
