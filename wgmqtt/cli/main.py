"""The command line: the table of commands, and the one place that catches, prints and exits.

Exit status: 0 success, 1 failure, 2 usage, 78 configuration (EX_CONFIG of sysexits.h(3)).
"""

import argparse
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from wgmqtt import __version__
from wgmqtt.cli import check_config, freeze, gen_mosquitto, gen_rsc, run, viewing, web
from wgmqtt.cli.command import Options, UsageError
from wgmqtt.errors import WgmqttError

DEFAULT_CONFIG = Path("/etc/wgmqtt/config.yaml")
COMMANDS = (
    run.COMMAND,
    check_config.COMMAND,
    gen_rsc.COMMAND,
    gen_mosquitto.COMMAND,
    freeze.FREEZE,
    freeze.UNFREEZE,
    viewing.STATUS,
    viewing.EVENTS,
    web.COMMAND,
)
FILE_ERRORS = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells report it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal's encoding may lack a character
    parser, parsers = _make_parsers()
    options = parser.parse_args(arguments, Options())
    command = next(command for command in COMMANDS if command.name == options.command)
    try:
        return command.run(options)
    except UsageError as error:
        parsers[command.name].error(str(error))
    except WgmqttError as error:
        print(f"wgmqtt: {error}", file=sys.stderr)
        return error.exit_code
    except FILE_ERRORS as error:
        if error.filename is None:
            raise
        print(f"wgmqtt: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 1  # the program that read the output has ended


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; the package prints manual page and completions from it."""
    return _make_parsers()[0]


def _make_parsers() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """Return the parser of the command line, and that of each command."""
    about = "Publishes the WireGuard endpoints of MikroTik routers behind NAT over MQTT."
    parser = argparse.ArgumentParser(prog="wgmqtt", description=about)
    parser.add_argument("--version", action="version", version=f"wgmqtt {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    parsers = {}
    for command in COMMANDS:
        about = f"{command.about[0].upper()}{command.about[1:]}."
        added = subparsers.add_parser(command.name, help=command.about, description=about)
        about = "the configuration file; default: %(default)s"
        added.add_argument("-c", "--config", metavar="FILE", type=Path, default=DEFAULT_CONFIG, help=about)
        command.add_options(added)
        parsers[command.name] = added
    return parser, parsers
