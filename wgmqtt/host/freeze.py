"""The freeze file beside the configuration: while it exists, nothing is published.

A file works while the broker is down, and outlasts restarts of broker, daemon and machine.
"""

from pathlib import Path

from wgmqtt.errors import EdgeError, Problem


def freeze_path(config: Path) -> Path:
    """Return the path of the freeze file: `config.yaml.frozen` beside `config.yaml`."""
    return config.with_name(f"{config.name}.frozen")


def is_frozen(config: Path) -> bool:
    """Return whether publishing is frozen."""
    return freeze_path(config).exists()


def freeze(config: Path, *, wanted: bool) -> None:
    """Create or remove the file, unless that is done already."""
    path = freeze_path(config)
    try:
        if wanted:
            path.touch(mode=0o644)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise EdgeError(
            Problem(str(path), "cannot be written", "", error.strerror or str(error), "run this as root")
        ) from error
