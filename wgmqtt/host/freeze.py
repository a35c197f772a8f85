"""The freeze file beside the configuration: while it exists, nothing is published.

A file works while the broker is down, and outlasts restarts of broker, daemon and machine.
"""

from pathlib import Path

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.host.secrets import hint_for


def freeze_path(config: Path) -> Path:
    """Return the path of the freeze file: `config.yaml.frozen` beside `config.yaml`."""
    return config.with_name(f"{config.name}.frozen")


def is_frozen(config: Path) -> bool:
    """Return whether publishing is frozen.

    Raises:
        EdgeError: the file can neither be found nor be known to be missing.
    """
    path = freeze_path(config)
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise EdgeError(Problem(str(path), f"cannot be read: {error.strerror or error}")) from error
    return True


class FreezeFile:
    """The freeze file, polled; while it cannot be read, the last state stays."""

    def __init__(self, config: Path) -> None:
        self._config = config
        # Nothing is known yet: publishing against a person's will is worse than not publishing.
        self.is_frozen = True
        self.problem: str | None = None
        """Why the file cannot be read, None if it can."""

    def poll(self) -> bool:
        """Read the state; return whether the file has just become unreadable."""
        try:
            self.is_frozen = is_frozen(self._config)
        except EdgeError as error:
            is_new, self.problem = self.problem is None, str(error)
            return is_new
        self.problem = None
        return False


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
            Problem(str(path), f"cannot be written: {error.strerror or error}", hint=hint_for(error))
        ) from error
