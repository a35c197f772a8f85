"""Creates missing passwords and writes mosquitto's files."""

import secrets
from pathlib import Path

from wgmqtt.broker.mosquitto import VIEWER, render_access, render_configuration, render_passwords
from wgmqtt.host.secrets import read_secret, write_private
from wgmqtt.model import Config

SECRET_BYTES = 24  # 192 bits
SALT_BYTES = 12


def make_missing_secrets(config: Config) -> list[Path]:
    """Create a random password for each user without one; return the paths of the new files."""
    made = []
    for path in _secret_files(config).values():
        if not path.exists():
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
        write_private(path, text, group="mosquitto")
    return list(files)


def _secret_files(config: Config) -> dict[str, Path]:
    folder = Path(config.router_password_dir)
    names = [VIEWER, *(router.name for router in config.routers)]
    return {config.username: Path(config.password_file)} | {name: folder / f"{name}.password" for name in names}
