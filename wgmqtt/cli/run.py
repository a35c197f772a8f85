"""`run`: the daemon."""

import argparse

from wgmqtt.cli.command import Command, Options
from wgmqtt.config.load import read_config
from wgmqtt.host import journal
from wgmqtt.host.secrets import read_secret


def _add_options(parser: argparse.ArgumentParser) -> None:
    levels = ("debug", "info", "warning")
    parser.add_argument("--log", choices=levels, default="info", help="the lowest level to log; default: %(default)s")
    parser.add_argument("--dry-run", action="store_true", help="publish nothing, log what would be published")


def _run(options: Options) -> int:
    from wgmqtt import daemon  # noqa: PLC0415 - the other commands need neither broker nor WireGuard

    config = read_config(options.config)
    read_secret(config.password_file)
    journal.set_up(options.log)
    daemon.run(config, options.config, is_dry=options.dry_run)
    return 0


COMMAND = Command("run", "watch WireGuard and publish each router's table", _run, _add_options)
