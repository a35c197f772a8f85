"""The wire contract: what the hub publishes about itself, the routers and the links."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wgmqtt.errors import WireError
from wgmqtt.logline import Level, Say
from wgmqtt.wire.payload import CONTRACT_VERSION, parse_number, parse_object, parse_text
from wgmqtt.wire.topics import ROUTER_NAME

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Online:
    """Whether the daemon `instance` is running. `answers` is the instance whose question this answers, if any."""

    is_online: bool
    instance: str
    answers: str = ""


@dataclass(frozen=True, slots=True)
class RouterLine:
    """One router at a glance. Times are Unix time in seconds, None for never.

    `trouble` says what is wrong and ends with the next step; `note` is worth knowing about a router that works.
    """

    name: str
    endpoint: str
    handshake_s: float | None
    heard_s: float | None
    applied_ms: float | None
    trouble: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class LinkLine:
    """One link at a glance: direct, trying, down or unknown; since when (Unix time); how long it took to come up."""

    first: str
    second: str
    state: str
    since_s: float | None
    proven_ms: float | None
    trouble: str
    note: str = ""
    """What is worth knowing about a link that works."""


@dataclass(frozen=True, slots=True)
class HubStatus:
    """The hub's status. `managed` names the routers that have retained topics, so that removed ones can be cleared."""

    instance: str
    version: str
    is_frozen: bool
    at_s: float
    managed: tuple[str, ...]
    routers: tuple[RouterLine, ...] = ()
    links: tuple[LinkLine, ...] = ()
    trouble: str = ""
    """What is wrong with the hub itself."""
    hints: str = ""
    """`active`, `unavailable` (WireGuard is only polled), `off`, or empty while unknown."""


def encode_online(online: Online) -> bytes:
    """Return the payload of `<prefix>/hub/<hub>/online`."""
    body: dict[str, object] = {"v": CONTRACT_VERSION, "online": online.is_online, "instance": online.instance}
    if online.answers:
        body["answers"] = online.answers
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def decode_online(payload: bytes, where: str) -> Online | None:
    """Return the state that a hub's online topic holds, or None if the payload is malformed."""
    try:
        body = parse_object(payload, where)
        return Online(body["online"] is True, parse_text(body["instance"]), parse_text(body.get("answers", "")))
    except (WireError, KeyError, TypeError):
        return None


def encode_status(head: HubStatus, routers: Iterable[RouterLine], links: Iterable[LinkLine]) -> bytes:
    """Return the payload of `<prefix>/hub/<hub>/status`: the fields of `head`, with these routers and links.

    Lines are encoded one by one: all those of 10,000 routers at once would take 5 MB that stay resident.
    """
    fields = {
        "v": CONTRACT_VERSION,
        "instance": head.instance,
        "version": head.version,
        "is_frozen": head.is_frozen,
        "at_s": head.at_s,
        "managed": head.managed,
        "trouble": head.trouble,
        "hints": head.hints,
    }
    payload = bytearray(_encode(fields)[:-1].encode("ascii"))
    _append_lines(payload, "routers", map(_router_fields, routers))
    _append_lines(payload, "links", map(_link_fields, links))
    payload += b"}"
    return bytes(payload)


def _append_lines(payload: bytearray, name: str, lines: Iterable[dict[str, object]]) -> None:
    payload += f',"{name}":['.encode("ascii")
    begin = len(payload)
    for line in lines:
        payload += _encode(line).encode("ascii") + b","
    if len(payload) > begin:
        payload.pop()  # the last comma
    payload += b"]"


def _router_fields(line: RouterLine) -> dict[str, object]:
    return {
        "name": line.name,
        "endpoint": line.endpoint,
        "handshake_s": line.handshake_s,
        "heard_s": line.heard_s,
        "applied_ms": line.applied_ms,
        "trouble": line.trouble,
        "note": line.note,
    }


def _link_fields(line: LinkLine) -> dict[str, object]:
    return {
        "first": line.first,
        "second": line.second,
        "state": line.state,
        "since_s": line.since_s,
        "proven_ms": line.proven_ms,
        "trouble": line.trouble,
        "note": line.note,
    }


def decode_status(payload: bytes, where: str) -> HubStatus | None:
    """Return the status in `payload`, or None if it is malformed."""
    try:
        body = parse_object(payload, where)
        return HubStatus(
            instance=parse_text(body["instance"]),
            version=parse_text(body["version"]),
            is_frozen=body["is_frozen"] is True,
            trouble=parse_text(body.get("trouble", "")),
            hints=parse_text(body.get("hints", "")),
            at_s=parse_number(body["at_s"]),
            managed=tuple(name for name in map(parse_text, body["managed"]) if ROUTER_NAME.fullmatch(name)),
            routers=tuple(map(_router_line, body["routers"])),
            links=tuple(map(_link_line, body["links"])),
        )
    except (WireError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def encode_event(line: Say, at_s: float) -> bytes:
    """Return the payload of `<prefix>/hub/<hub>/events`: one line of the log."""
    fields = {key: str(value) for key, value in line.fields}
    body = {"v": CONTRACT_VERSION, "at_s": round(at_s, 3), "level": line.level, "phrase": line.phrase, "fields": fields}
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def decode_event(payload: bytes, where: str) -> tuple[float, Say] | None:
    """Return the Unix time of a line of the log and the line, or None if the payload is malformed."""
    try:
        body = parse_object(payload, where)
        level: Level = "warning" if body["level"] == "warning" else "info"
        fields = tuple((parse_text(key), parse_text(value)) for key, value in body["fields"].items())
        return parse_number(body["at_s"]), Say(level, parse_text(body["phrase"]), fields)
    except (WireError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def _router_line(line: Mapping[str, Any]) -> RouterLine:
    return RouterLine(
        name=parse_text(line["name"]),
        endpoint=parse_text(line["endpoint"]),
        handshake_s=_number_or_none(line["handshake_s"]),
        heard_s=_number_or_none(line["heard_s"]),
        applied_ms=_number_or_none(line["applied_ms"]),
        trouble=parse_text(line["trouble"]),
        note=parse_text(line.get("note", "")),
    )


def _link_line(line: Mapping[str, Any]) -> LinkLine:
    return LinkLine(
        first=parse_text(line["first"]),
        second=parse_text(line["second"]),
        state=parse_text(line["state"]),
        since_s=_number_or_none(line["since_s"]),
        proven_ms=_number_or_none(line["proven_ms"]),
        trouble=parse_text(line["trouble"]),
        note=parse_text(line.get("note", "")),
    )


def _number_or_none(value: object) -> float | None:
    return None if value is None else parse_number(value)
