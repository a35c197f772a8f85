"""`gen-mosquitto`: missing passwords, and mosquitto's files."""

import argparse
from pathlib import Path

from wgmqtt.broker.mosquitto import make_missing_secrets, write_mosquitto
from wgmqtt.cli.command import Command, Options, write
from wgmqtt.config.load import read_config


def _add_options(parser: argparse.ArgumentParser) -> None:
    text = "mosquitto's configuration folder; default: %(default)s"
    parser.add_argument("--folder", metavar="DIR", type=Path, default=Path("/etc/mosquitto"), help=text)


def _run(options: Options) -> int:
    config = read_config(options.config)
    for path in [*make_missing_secrets(config), *write_mosquitto(config, options.folder.resolve())]:
        write(f"written: {path}\n")
    write("These settings apply to the whole broker: give wgmqtt a mosquitto of its own, or merge them by hand.\n")
    write("Next: systemctl reload mosquitto (the first time, and after a change of the listener: restart).\n")
    return 0


COMMAND = Command("gen-mosquitto", "create missing passwords and mosquitto's configuration", _run, _add_options)
