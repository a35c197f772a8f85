"""`gen-rsc`: the RouterOS script of a router."""

import argparse
import difflib
import sys
from pathlib import Path

from wgmqtt.cli.command import Command, Options, UsageError, write
from wgmqtt.config.load import read_config
from wgmqtt.errors import EdgeError, Problem, RscError
from wgmqtt.host.secrets import read_secret, write_private
from wgmqtt.model import Config, Router
from wgmqtt.script import render
from wgmqtt.script.acceptance import render_acceptance
from wgmqtt.script.authority import read_authority
from wgmqtt.script.templates import read_templates

MAX_NAMES = 20


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("router", nargs="?", metavar="ROUTER", help="the router's name in the configuration")
    parser.add_argument(
        "--all", metavar="DIR", type=Path, help="write each router's script to DIR/ROUTER.rsc, mode 0600"
    )
    parser.add_argument("-o", metavar="FILE", dest="output", type=Path, help="write to FILE, mode 0600")
    parser.add_argument("--diff", metavar="OLD", type=Path, help="show what the new script changes in the file OLD")
    parser.add_argument("--redact", action="store_true", help="leave the password out, for review; needs no secret")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--remove", action="store_true", help="print the script that removes wgmqtt from the router")
    kind.add_argument("--handler", action="store_true", help="print only the handler of messages, unquoted, for review")
    questions = "print a script that asks the router what docs/first-router.md wants to know; it changes no setting"
    kind.add_argument("--acceptance", action="store_true", help=questions)
    live = "with --acceptance: also set the endpoint port of this linked router's peer to the value that it has"
    parser.add_argument("--live", metavar="PEER", default="", help=live)
    parser.add_argument("--no-ping", action="store_true", help="leave /tool/ping out, if the router does not allow it")
    hook = "make the router send a packet soon after a WAN change: netwatch, dhcp:INTERFACE or ppp:PROFILE"
    parser.add_argument("--wan-hook", metavar="HOOK", default="", help=hook)


def _run(options: Options) -> int:
    if (options.all is None) == (options.router is None):
        raise UsageError("expected either ROUTER or --all DIR")
    if sum(path is not None for path in (options.all, options.output, options.diff)) > 1:
        raise UsageError("only one of --all, -o and --diff is possible")
    if options.handler and options.all is not None:
        raise UsageError("--handler is for one ROUTER: the files of --all are to be imported, and a handler is not")
    if options.live and not options.acceptance:
        raise UsageError("--live needs --acceptance")
    config = read_config(options.config)
    if options.all is not None:
        _write_all(config, options.all, options)
        return 0
    script = _render(config, _find_router(config, options.router or ""), options)
    if options.diff is not None:
        write(render.render_difference(_read_script(options.diff), script))
    elif options.output is not None:
        write_private(options.output, script)
    else:
        write(script)
    return 0


def _write_all(config: Config, folder: Path, options: Options) -> None:
    for router in config.routers:
        write_private(folder / f"{router.name}.rsc", _render(config, router, options))
    print(f"{folder}: {len(config.routers)} scripts written", file=sys.stderr)
    others = {path.stem for path in folder.glob("*.rsc")} - {router.name for router in config.routers}
    if others:
        names = ", ".join(sorted(others))
        print(f"{folder}: not changed, because they are not in the configuration: {names}", file=sys.stderr)


def _read_script(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise EdgeError(Problem(str(path), f"cannot be read: {error.strerror}")) from error


def _find_router(config: Config, name: str) -> Router:
    for router in config.routers:
        if router.name == name:
            return router
    names = [router.name for router in config.routers]
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else ""
    shown = [*names[:MAX_NAMES], *([f"{len(names) - MAX_NAMES} more"] if len(names) > MAX_NAMES else [])]
    raise RscError(Problem("gen-rsc", "no such router in the configuration", ", ".join(shown), name, hint))


def _render(config: Config, router: Router, options: Options) -> str:
    templates = read_templates()
    if options.remove:
        return render.render_removal(config, router, templates)
    if options.acceptance:
        return render_acceptance(config, router, templates, options.live)
    kind, name = render.parse_wan_hook(options.wan_hook) if options.wan_hook else ("", "")
    script_options = render.Options(not options.no_ping, kind, name, read_authority(config))
    if options.handler:
        return render.render_handler(config, router, templates, script_options)
    password = None if options.redact else read_secret(f"{config.router_password_dir}/{router.name}.password")
    return render.render_script(config, router, password, templates, script_options)


COMMAND = Command("gen-rsc", "print the RouterOS script of a router", _run, _add_options)
