"""A person's wish that nothing be published, kept over restarts. Edge: a file beside the configuration.

A file, because it holds when the broker is down, when it forgets, and when the machine starts again.
"""

from pathlib import Path

from wgmqtt.errors import EdgeError, Problem


def freeze_path(config: Path) -> Path:
    """Return the file that stands for the wish: `config.yaml.frozen` beside `config.yaml`."""
    return config.with_name(f"{config.name}.frozen")


def is_frozen(config: Path) -> bool:
    """Return whether publishing shall rest."""
    return freeze_path(config).exists()


def freeze(config: Path, *, wanted: bool) -> None:
    """Make or take away the file; it may be so already."""
    path = freeze_path(config)
    try:
        if wanted:
            path.touch(mode=0o644)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise EdgeError(Problem(str(path), "cannot be written", "", error.strerror or str(error), "be root")) from error
