"""Read the script templates from `routeros/`, in the wheel or beside the package in a source tree."""

from importlib.resources import files
from pathlib import Path

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.script.render import WAN_HOOKS, Templates


def read_templates() -> Templates:
    """Return the templates that belong to this package.

    Raises:
        EdgeError: a template is missing, so the installation is damaged.
    """
    shipped = files("wgmqtt") / "routeros"
    # An editable install has no copy inside the package: it uses the folder of the source tree.
    folder = shipped if shipped.is_dir() else Path(__file__).parents[2] / "routeros"
    names = ("install", "handler", "remove", "wan-hook", "authority", "acceptance")
    try:
        install, handler, remove, wan_hook, authority, acceptance = (
            (folder / f"{name}.rsc").read_text("ascii") for name in names
        )
        hooks = {kind: (folder / f"hook-{kind}.rsc").read_text("ascii") for kind in WAN_HOOKS}
    except OSError as error:
        raise EdgeError(
            Problem(str(folder), "a script template is missing", "", str(error), "install wgmqtt again")
        ) from error
    return Templates(install, handler, remove, wan_hook, authority, acceptance, hooks)
