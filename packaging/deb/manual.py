"""Prints what the package ships beside the program, from the program's own parser and declarations.

manual.py command|configuration|bash|zsh
"""

import sys

import shtab
from argparse_manpage.manpage import Manpage

from wgmqtt import __version__
from wgmqtt.cli.main import make_parser
from wgmqtt.config.keys import ROOT
from wgmqtt.config.kinds import Key

EXIT_STATUS = """.SH EXIT STATUS
0 success, 1 failure, 2 usage, 78 configuration (EX_CONFIG of
.BR sysexits.h (3head)).
.SH FILES
.I /etc/wgmqtt/config.yaml
(see
.BR wgmqtt.yaml (5)),
.I /etc/default/wgmqtt
(the log level of the service)
.SH SEE ALSO
.BR wgmqtt.yaml (5),
.BR wg (8),
.BR mosquitto (8)
.br
/usr/share/doc/wgmqtt/
"""
CONFIGURATION_HEAD = """.TH WGMQTT.YAML 5 "" "wgmqtt {version}" "File formats"
.SH NAME
wgmqtt.yaml \\- configuration of wgmqtt
.SH SYNOPSIS
.I /etc/wgmqtt/config.yaml
.SH DESCRIPTION
The configuration is YAML without tags, anchors, aliases and merges. Passwords are in files of their own, never here.
.B wgmqtt check-config
reports all mistakes at once.
"""
CONFIGURATION_TAIL = """.SH FILES
/usr/share/doc/wgmqtt/examples/config.yaml
.SH SEE ALSO
.BR wgmqtt (1)
"""


def escape(text: str) -> str:
    """Return `text` for roff: backslashes, hyphens and leading dots are literal. Source: groff(7), Escape sequences."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("\n.", "\n\\&.")


def render_keys(title: str, key: Key, keys: dict[str, Key]) -> str:
    """Return the section of the manual page about the keys of one section of the file, and those in it."""
    lines = [f".SH {escape(title.upper())}", escape(f"{key.about[0].upper()}{key.about[1:]}.") if key.about else ""]
    inside = []
    for name, each in keys.items():
        lines += [".TP", f".B {escape(name)}", escape(f"{each.about[0].upper()}{each.about[1:]}.")]
        if each.kind.keys:
            section = f"{title}: {name}" if title != "top level" else name
            lines.append(f"See {escape(section.upper())} below.")
            inside.append(render_keys(section, each, dict(each.kind.keys)))
        else:
            lines.append(escape(f"Value: {each.kind.expected}."))
        if each.required:
            lines.append("Required.")
        if each.example:
            lines += [".br", f"Example: {escape(f'{name}: {each.example}')}"]
    return "\n".join(line for line in lines if line) + "\n" + "".join(inside)


def render_configuration() -> str:
    """Return wgmqtt.yaml(5)."""
    top = Key(ROOT, "the top level of the file")
    return (
        CONFIGURATION_HEAD.format(version=__version__)
        + render_keys("top level", top, dict(ROOT.keys))
        + CONFIGURATION_TAIL
    )


def render_command() -> str:
    """Return wgmqtt(1)."""
    parser = make_parser()
    parser.man_short_description = "publish the WireGuard endpoints of MikroTik routers over MQTT"
    page = Manpage(parser, _data={"project_name": "wgmqtt", "version": __version__, "manual_title": "wgmqtt"})
    return str(page) + "\n" + EXIT_STATUS


def main() -> None:
    """Print one of them."""
    match sys.argv[1:]:
        case ["command"]:
            print(render_command(), end="")
        case ["configuration"]:
            print(render_configuration(), end="")
        case [("bash" | "zsh") as shell]:
            print(shtab.complete(make_parser(), shell=shell), end="")
        case _:
            sys.exit("usage: manual.py command|configuration|bash|zsh")


if __name__ == "__main__":
    main()
