"""`freeze` and `unfreeze`: whether the daemon publishes."""

from wgmqtt.cli.command import Command, Options, write
from wgmqtt.config.load import read_config
from wgmqtt.host.freeze import freeze


def _freeze(options: Options) -> int:
    read_config(options.config)  # a mistyped name would leave a freeze file that no daemon reads
    freeze(options.config, wanted=True)
    write("frozen: wgmqtt publishes nothing until wgmqtt unfreeze\n")
    return 0


def _unfreeze(options: Options) -> int:
    read_config(options.config)
    freeze(options.config, wanted=False)
    write("not frozen: wgmqtt publishes while it runs\n")
    return 0


FREEZE = Command("freeze", "stop publishing, also after restarts", _freeze)
UNFREEZE = Command("unfreeze", "publish again", _unfreeze)
