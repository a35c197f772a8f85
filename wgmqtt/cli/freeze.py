"""`freeze` and `unfreeze`: whether the daemon publishes."""

from pathlib import Path

from wgmqtt.cli.command import Command, Options, write
from wgmqtt.errors import ConfigError, Problem
from wgmqtt.host.freeze import freeze


def _freeze(options: Options) -> int:
    _demand_file(options.config)
    freeze(options.config, wanted=True)
    write("frozen: wgmqtt publishes nothing until wgmqtt unfreeze\n")
    return 0


def _unfreeze(options: Options) -> int:
    _demand_file(options.config)
    freeze(options.config, wanted=False)
    write("not frozen: wgmqtt publishes while it runs\n")
    return 0


def _demand_file(config: Path) -> None:
    """Refuse a mistyped name: no daemon would read its freeze file. A configuration with mistakes can be frozen."""
    if not config.is_file():
        raise ConfigError(Problem(str(config), "no such file", hint="name the daemon's configuration with -c"))


FREEZE = Command("freeze", "stop publishing, also after restarts", _freeze)
UNFREEZE = Command("unfreeze", "publish again", _unfreeze)
