"""The hub's view as text for a terminal, or as JSON. Pure."""

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from wgmqtt.wire.hub import HubStatus, LinkLine, RouterLine

WIDTH = 80
MANY = 4  # so many that suffer the same share one line


def render_status(status: HubStatus, *, is_online: bool, now_s: float) -> str:
    """Return the view as plain text; `WIDTH` columns suffice for names of up to 15 characters and IPv4."""
    direct = sum(1 for link in status.links if link.state == "direct")
    hub = "running" if is_online else "NOT RUNNING, this is its last word"
    frozen = ", FROZEN: publishes nothing" if status.is_frozen else ""
    head = [
        f"hub: {hub}{frozen}; wgmqtt {status.version}; seen {_age(now_s - status.at_s)} ago",
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
    wrong = _wrong([("the hub", status.trouble)])
    wrong += _wrong((line.name, line.trouble) for line in status.routers)
    wrong += _wrong((f"{line.first} - {line.second}", line.trouble) for line in status.links)
    notes = _wrong(((line.name, line.note) for line in status.routers), mark="i")
    notes += _wrong(((f"{line.first} - {line.second}", line.note) for line in status.links), mark="i")
    return "\n".join([*head, *tables, "", *(wrong or ["nothing is wrong"]), *notes]) + "\n"


def render_json(status: HubStatus, *, is_online: bool) -> str:
    """Return the view as JSON, one object."""
    return json.dumps({"online": is_online, **asdict(status)}, indent=2) + "\n"


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


def _wrong(troubles: Iterable[tuple[str, str]], mark: str = "!") -> list[str]:
    """Return what is said of whom, wrapped; the same trouble of many in one line, or 500 routers would hide it."""
    sufferers: dict[str, list[str]] = {}
    for name, trouble in troubles:
        if trouble:
            sufferers.setdefault(trouble, []).append(name)
    lines = []
    for trouble, names in sufferers.items():
        groups = [[name] for name in names] if len(names) < MANY else [[*names[:2], f"{len(names) - 2} more"]]
        for group in groups:
            text = f"{mark} {', '.join(group)}: {trouble}"
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
