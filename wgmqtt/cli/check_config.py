"""`check-config`: everything that is wrong with a configuration and the files that it names."""

import argparse

from wgmqtt.cli.command import Command, Options, write
from wgmqtt.cli.reference import render_reference, render_schema
from wgmqtt.config.load import read_config
from wgmqtt.errors import ConfigError, Problem
from wgmqtt.host.secrets import read_secret
from wgmqtt.model import Config
from wgmqtt.script.authority import read_authority


def check_files(config: Config) -> None:
    """Read all files that the configuration requires: secrets, also of each router with a link, and certificates.

    Raises:
        ConfigError: the problems of all files.
    """
    linked = {name for link in config.links for name in (link.first, link.second)}
    names = [router.name for router in config.routers if router.name in linked]
    problems: list[Problem] = []
    for path in [config.password_file, *(f"{config.router_password_dir}/{name}.password" for name in names)]:
        try:
            read_secret(path)
        except ConfigError as error:
            problems += error.problems
    try:
        read_authority(config)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(*problems)


def _add_options(parser: argparse.ArgumentParser) -> None:
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--schema", action="store_true", help="print a JSON Schema for editors instead")
    instead.add_argument("--reference", action="store_true", help="print a page about every key instead, in Markdown")


def _run(options: Options) -> int:
    if options.schema or options.reference:
        write(render_schema() if options.schema else render_reference())
        return 0
    config = read_config(options.config)
    check_files(config)
    write(f"{options.config}: {len(config.routers)} routers, {len(config.links)} links, no problems\n")
    return 0


COMMAND = Command("check-config", "report everything that is wrong with the configuration", _run, _add_options)
