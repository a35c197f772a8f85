"""The script templates as files. Edge: reads `routeros/`, in the wheel or beside the package in a source tree."""

from importlib.resources import files
from pathlib import Path

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.rsc import Templates


def read_templates() -> Templates:
    """Return the templates that belong to this very package.

    Raises:
        EdgeError: they are missing, so the installation is damaged.
    """
    shipped = files("wgmqtt") / "routeros"
    # An editable install has no copy inside the package: there the source tree's own folder is the one.
    folder = shipped if shipped.is_dir() else Path(__file__).parent.parent / "routeros"
    try:
        install, handler, remove = (
            (folder / f"{name}.rsc").read_text("ascii") for name in ("install", "handler", "remove")
        )
    except OSError as error:
        raise EdgeError(
            Problem(str(folder), "a script template is missing", "", str(error), "install wgmqtt again")
        ) from error
    return Templates(install, handler, remove)
