"""`web`: the status page and the metrics."""

import argparse

from wgmqtt.cli.command import Command, Options
from wgmqtt.config.load import read_config
from wgmqtt.errors import EdgeError, Problem
from wgmqtt.host import journal

EXTRA = ("aiohttp", "prometheus_client")


def _add_options(parser: argparse.ArgumentParser) -> None:
    levels = ("debug", "info", "warning")
    parser.add_argument("--log", choices=levels, default="info", help="the lowest level to log; default: %(default)s")


def _web(options: Options) -> int:
    try:
        from wgmqtt.web import service  # noqa: PLC0415 - only this command needs the extra `web`
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        what = f"the Python package {error.name} is missing"
        raise EdgeError(Problem("web", what, hint="in the clone: /opt/wgmqtt/bin/pip install '.[web]'")) from error
    config = read_config(options.config)
    journal.set_up(options.log)
    service.run(config)
    return 0


COMMAND = Command("web", "serve the status page and the metrics", _web, _add_options)
