"""The hub's status and events as text for a terminal, or as JSON."""

import json
import textwrap
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from wgmqtt.host.journal import render_line
from wgmqtt.logline import Say
from wgmqtt.wire.hub import HubStatus, LinkLine, RouterLine

WIDTH = 80
MANY = 4  # as many or more with the same problem share one line


def render_status(status: HubStatus, *, is_online: bool, now_s: float) -> str:
    """Return the status as plain text, within `WIDTH` columns for names of up to 15 characters and IPv4."""
    direct = sum(1 for link in status.links if link.state == "direct")
    hub = "running" if is_online else "NOT RUNNING, this is its last status"
    frozen = ", FROZEN: publishes nothing" if status.is_frozen else ""
    head = [
        f"hub: {hub}{frozen}; wgmqtt {status.version}; status of {_age(now_s - status.at_s)} ago",
        f"{len(status.routers)} routers, {len(status.links)} links, {direct} direct",
        "",
    ]
    routers = [_router_row(line, now_s) for line in status.routers]
    links = [_link_row(line, now_s) for line in sorted(status.links, key=lambda line: line.state == "direct")]
    tables = [
        *_table(("ROUTER", "ENDPOINT", "HANDSHAKE", "REPORT", "APPLIED"), routers),
        "",
        *_table(("LINK", "PATH", "SINCE", "PROVEN IN"), links),
    ]
    problems = _problem_lines([("the hub", status.trouble)])
    problems += _problem_lines((line.name, line.trouble) for line in status.routers)
    problems += _problem_lines((f"{line.first} - {line.second}", line.trouble) for line in status.links)
    notes = _problem_lines(((line.name, line.note) for line in status.routers), mark="i")
    notes += _problem_lines(((f"{line.first} - {line.second}", line.note) for line in status.links), mark="i")
    return "\n".join([*head, *tables, "", *(problems or ["no problems"]), *notes]) + "\n"


def render_json(status: HubStatus, *, is_online: bool) -> str:
    """Return the status as one JSON object."""
    return json.dumps({"online": is_online, **asdict(status)}, indent=2) + "\n"


def render_event(at_s: float, line: Say) -> str:
    """Return one line of the log with the local time at which it was written."""
    moment = time.strftime("%H:%M:%S", time.localtime(at_s))
    return f"{moment}.{int(at_s * 1000) % 1000:03d} {render_line(line)}\n"


def _router_row(line: RouterLine, now_s: float) -> tuple[str, ...]:
    return (
        line.name,
        line.endpoint or "-",
        _since(line.handshake_s, now_s),
        _since(line.heard_s, now_s),
        _ms(line.applied_ms),
    )


def _link_row(line: LinkLine, now_s: float) -> tuple[str, ...]:
    return f"{line.first} - {line.second}", line.state, _since(line.since_s, now_s), _ms(line.proven_ms)


def _problem_lines(problems: Iterable[tuple[str, str]], mark: str = "!") -> list[str]:
    """Return each problem with its names, wrapped. One that many have is one line, so that it does not hide others."""
    names_by_problem: dict[str, list[str]] = {}
    for name, problem in problems:
        if problem:
            names_by_problem.setdefault(problem, []).append(name)
    lines = []
    for problem, names in names_by_problem.items():
        groups = [[name] for name in names] if len(names) < MANY else [[*names[:2], f"{len(names) - 2} more"]]
        for group in groups:
            text = f"{mark} {', '.join(group)}: {problem}"
            lines += textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return lines


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (head, *rows))
    return ["  ".join(cells).rstrip() for cells in padded]


def _since(at_s: float | None, now_s: float) -> str:
    return "never" if at_s is None else f"{_age(now_s - at_s)} ago"


def _age(seconds: float) -> str:
    whole = max(0, int(seconds))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if whole >= 2 * length:
            return f"{whole // length} {unit}"
    return f"{whole} s"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
