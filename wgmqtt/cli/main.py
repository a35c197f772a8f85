"""The command line: the table of commands, and the one place that catches, prints and exits. Edge: the terminal.

Exit status: 0 done, 1 failure, 2 usage, 78 configuration (EX_CONFIG of sysexits.h(3)).
"""

import argparse
import errno
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from wgmqtt import __version__
from wgmqtt.broker.connection import Login
from wgmqtt.broker.mosquitto import VIEWER
from wgmqtt.broker.mosquitto_files import make_missing_secrets, write_mosquitto, write_private
from wgmqtt.broker.subscriber import read_events, read_view
from wgmqtt.cli.status_text import render_json, render_status
from wgmqtt.config.files import check_files, read_authority, read_config, read_secret
from wgmqtt.config.jsonschema import render_schema
from wgmqtt.errors import Problem, RscError, WgmqttError
from wgmqtt.host import journal
from wgmqtt.host.freeze import freeze
from wgmqtt.model import Config, Router
from wgmqtt.script.render import Options, parse_wan_hook, render_difference, render_removal, render_script
from wgmqtt.script.templates import read_templates
from wgmqtt.wire.hub import decode_event
from wgmqtt.wire.topics import topics_of

DEFAULT_CONFIG = Path("/etc/wgmqtt/config.yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        sys.stdout.flush()  # what was not written by now, such as to a full disk, must not end well
    except WgmqttError as error:
        print(f"wgmqtt: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; there is nobody to tell
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"wgmqtt: standard output: {error.strerror}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wgmqtt", description="Tells MikroTik routers behind NAT where their WireGuard peers are."
    )
    parser.add_argument("--version", action="version", version=f"wgmqtt {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text)
        command.set_defaults(command=run, usage=command)
        text = "default: %(default)s"
        command.add_argument("-c", "--config", metavar="FILE", type=Path, default=DEFAULT_CONFIG, help=text)
        return command

    run = add("run", _run, "watch WireGuard and publish each router's table")
    run.add_argument("--log", choices=("debug", "info", "warning"), default="info", help="default: %(default)s")
    run.add_argument("--dry-run", action="store_true", help="publish nothing, say what would be published")
    check = add("check-config", _check_config, "say everything that is wrong with a configuration")
    check.add_argument("--schema", action="store_true", help="print a JSON Schema for editors instead")
    _add_script_options(add("gen-rsc", _gen_rsc, "print the RouterOS script of a router"))
    broker = add("gen-mosquitto", _gen_mosquitto, "make missing passwords, and mosquitto's configuration")
    folder = Path("/etc/mosquitto")
    broker.add_argument("--folder", metavar="DIR", type=Path, default=folder, help="default: %(default)s")
    add("freeze", lambda options: _freeze(options, wanted=True), "stop all publishing, over restarts too")
    add("unfreeze", lambda options: _freeze(options, wanted=False), "publish again")
    status = add("status", _status, "show routers and links at a glance, from any machine")
    status.add_argument("--watch", action="store_true", help="show them again at each change")
    status.add_argument("--json", action="store_true", help="as JSON")
    add("events", _events, "follow what the hub says, as it happens")
    return parser


def _add_script_options(rsc: argparse.ArgumentParser) -> None:
    rsc.add_argument("router", nargs="?", help="its name in the configuration")
    rsc.add_argument("--all", metavar="DIR", type=Path, help="write every router's script to DIR/ROUTER.rsc, mode 0600")
    rsc.add_argument("-o", metavar="FILE", dest="output", type=Path, help="write to FILE, mode 0600")
    rsc.add_argument("--redact", action="store_true", help="leave the password out, for review; needs no secret")
    rsc.add_argument("--remove", action="store_true", help="print the script that takes everything away again")
    rsc.add_argument("--no-ping", action="store_true", help="leave /tool/ping out, where hooks may not use it")
    rsc.add_argument(
        "--wan-hook",
        metavar="HOOK",
        default="",
        help="let the hub hear the router soon after a change: netwatch, dhcp:INTERFACE or ppp:PROFILE",
    )
    rsc.add_argument("--diff", metavar="OLD", type=Path, help="show what the new script changes in the file OLD")


def _run(options: argparse.Namespace) -> int:
    from wgmqtt import daemon  # noqa: PLC0415 - the other commands need neither broker nor WireGuard

    config = read_config(options.config)
    read_secret(Path(config.password_file))
    journal.set_up(options.log)
    daemon.run(config, options.config, is_dry=options.dry_run)
    return 0


def _check_config(options: argparse.Namespace) -> int:
    if options.schema:
        print(render_schema(), end="")
        return 0
    config = read_config(options.config)
    check_files(config)
    print(f"{options.config}: {len(config.routers)} routers, {len(config.links)} links, no problem found")
    return 0


def _gen_rsc(options: argparse.Namespace) -> int:
    if bool(options.all) == bool(options.router) or sum(map(bool, (options.all, options.output, options.diff))) > 1:
        options.usage.error("give either the name of a ROUTER (with -o FILE or --diff OLD if you like) or --all DIR")
    config = read_config(options.config)
    if options.all:
        options.all.mkdir(mode=0o700, parents=True, exist_ok=True)
        for router in config.routers:
            write_private(options.all / f"{router.name}.rsc", _script(config, router, options))
        print(f"{options.all}: {len(config.routers)} scripts written", file=sys.stderr)
        strange = {path.stem for path in options.all.glob("*.rsc")} - {router.name for router in config.routers}
        if strange:
            names = ", ".join(sorted(strange))
            print(f"{options.all}: left alone, of routers that are not in the configuration: {names}", file=sys.stderr)
        return 0
    script = _script(config, _router_named(config, options.router), options)
    if options.diff:
        print(render_difference(_read_script(options.diff), script), end="")
    elif options.output:
        write_private(options.output, script)
    else:
        print(script, end="")
    return 0


def _read_script(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise RscError(Problem(str(path), "cannot be read", "", error.strerror or str(error))) from error


def _router_named(config: Config, name: str) -> Router:
    for router in config.routers:
        if router.name == name:
            return router
    names = ", ".join(router.name for router in config.routers)
    raise RscError(Problem("gen-rsc", "no such router", names, name, "a name below routers: in the configuration"))


def _script(config: Config, router: Router, options: argparse.Namespace) -> str:
    templates = read_templates()
    if options.remove:
        return render_removal(config, router, templates)
    password = None if options.redact else read_secret(Path(config.router_password_dir) / f"{router.name}.password")
    kind, name = parse_wan_hook(options.wan_hook) if options.wan_hook else ("", "")
    chosen = Options(not options.no_ping, kind, name, read_authority(config))
    return render_script(config, router, password, templates, chosen)


def _viewer_login(config: Config) -> Login:
    password = read_secret(Path(config.router_password_dir) / f"{VIEWER}.password")
    client_id = f"wgmqtt-{VIEWER}-{secrets.token_hex(4)}"
    return Login(config.broker, client_id, VIEWER, password, will_topic="", will_payload=b"")


def _status(options: argparse.Namespace) -> int:
    config = read_config(options.config)
    clear = "\033[H\033[2J" if options.watch and sys.stdout.isatty() else ""
    for status, is_online in read_view(_viewer_login(config), topics_of(config)):
        if options.json:
            print(render_json(status, is_online=is_online), end="", flush=True)
        else:
            print(clear + render_status(status, is_online=is_online, now_s=time.time()), end="", flush=True)
        if not options.watch:
            return 0 if is_online else 1
    return 0


def _events(options: argparse.Namespace) -> int:
    config = read_config(options.config)
    topics = topics_of(config)
    for payload in read_events(_viewer_login(config), topics):
        event = decode_event(payload, topics.hub_events)
        if event is not None:
            moment = time.strftime("%H:%M:%S", time.localtime(event[0]))
            print(f"{moment}.{int(event[0] * 1000) % 1000:03d} {journal.render_line(event[1])}", flush=True)
    return 0


def _freeze(options: argparse.Namespace, *, wanted: bool) -> int:
    read_config(options.config)  # a mistyped name would leave a file that nobody looks at
    freeze(options.config, wanted=wanted)
    print(
        "frozen: wgmqtt publishes nothing until wgmqtt unfreeze"
        if wanted
        else "not frozen: wgmqtt publishes while it runs"
    )
    return 0


def _gen_mosquitto(options: argparse.Namespace) -> int:
    config = read_config(options.config)
    for path in [*make_missing_secrets(config), *write_mosquitto(config, options.folder.resolve())]:
        print(f"written: {path}")
    print("these settings hold for all of this mosquitto: give wgmqtt a broker of its own, or merge them by hand")
    print("now: systemctl reload mosquitto (after the first time, or for another listener: restart)")
    return 0
