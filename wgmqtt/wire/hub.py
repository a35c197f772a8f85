"""The wire contract: what the hub says of itself, of the routers and of the links. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wgmqtt.errors import WireError
from wgmqtt.logline import Level, Say
from wgmqtt.wire.table import CONTRACT_VERSION, parse_object, parse_text

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Online:
    """Whether the daemon `instance` is there. `answers` is the instance that asked, if one did."""

    is_online: bool
    instance: str
    answers: str = ""


@dataclass(frozen=True, slots=True)
class RouterLine:
    """One router at a glance. Times are Unix time in seconds, None: never; `trouble` ends with the next step.

    `note` is worth knowing of a router that works.
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
    """One link at a glance: direct, trying, down or unknown; since when (Unix time); how fast it came up."""

    first: str
    second: str
    state: str
    since_s: float | None
    proven_ms: float | None
    trouble: str
    note: str = ""
    """What is worth knowing of a link that works."""


@dataclass(frozen=True, slots=True)
class HubStatus:
    """The hub's view. `managed` are the routers whose topics it has filled: who is gone later is known by it."""

    instance: str
    version: str
    is_frozen: bool
    at_s: float
    managed: tuple[str, ...]
    routers: tuple[RouterLine, ...] = ()
    links: tuple[LinkLine, ...] = ()
    trouble: str = ""
    """What is wrong with the hub itself."""


def encode_online(online: Online) -> bytes:
    """Return the payload of `<prefix>/hub/<hub>/online`."""
    body: dict[str, object] = {"v": CONTRACT_VERSION, "online": online.is_online, "instance": online.instance}
    if online.answers:
        body["answers"] = online.answers
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def decode_online(payload: bytes, where: str) -> Online | None:
    """Return what a hub's online topic says, or None where it says nothing that can be read."""
    try:
        body = parse_object(payload, where)
        return Online(body["online"] is True, parse_text(body["instance"]), parse_text(body.get("answers", "")))
    except (WireError, KeyError, TypeError):
        return None


def encode_status(head: HubStatus, routers: Iterable[RouterLine], links: Iterable[LinkLine]) -> bytes:
    """Return the payload of `<prefix>/hub/<hub>/status`: what `head` says of the hub, and these lines.

    They come one by one, because those of ten thousand routers at once take 5 MB that nobody gives back.
    """
    fields = {"v": CONTRACT_VERSION, **_fields(head)}
    fields.pop("routers"), fields.pop("links")
    payload = bytearray(_encode(fields)[:-1].encode("ascii"))
    for name, lines in (("routers", routers), ("links", links)):
        payload += f',"{name}":['.encode("ascii")
        begin = len(payload)
        for line in lines:
            payload += _encode(_fields(line)).encode("ascii") + b","
        if len(payload) > begin:
            payload.pop()
        payload += b"]"
    payload += b"}"
    return bytes(payload)


def _fields(one: HubStatus | RouterLine | LinkLine) -> dict[str, object]:
    """Return what dataclasses.asdict returns, without copying each value: ten thousand lines take a third of it."""
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def decode_status(payload: bytes, where: str) -> HubStatus | None:
    """Return what a hub's status topic says, or None where it says nothing that can be read."""
    try:
        body = parse_object(payload, where)
        return HubStatus(
            instance=parse_text(body["instance"]),
            version=parse_text(body["version"]),
            is_frozen=body["is_frozen"] is True,
            trouble=parse_text(body.get("trouble", "")),
            at_s=float(body["at_s"]),
            managed=tuple(parse_text(name) for name in body["managed"]),
            routers=tuple(RouterLine(**_known(line, RouterLine)) for line in body["routers"]),
            links=tuple(LinkLine(**_known(line, LinkLine)) for line in body["links"]),
        )
    except (WireError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def encode_event(said: Say, at_s: float) -> bytes:
    """Return the payload of `<prefix>/hub/<hub>/events`: a line of the log as an object."""
    fields = {key: str(value) for key, value in said.fields}
    body = {"v": CONTRACT_VERSION, "at_s": round(at_s, 3), "level": said.level, "phrase": said.phrase, "fields": fields}
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def decode_event(payload: bytes, where: str) -> tuple[float, Say] | None:
    """Return when a line was said (Unix time, s) and what, or None where nothing can be read."""
    try:
        body = parse_object(payload, where)
        level: Level = "warning" if body["level"] == "warning" else "info"
        fields = tuple((str(key), parse_text(value)) for key, value in body["fields"].items())
        return float(body["at_s"]), Say(level, parse_text(body["phrase"]), fields)
    except (WireError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def _known(line: Mapping[str, Any], kind: type[RouterLine | LinkLine]) -> dict[str, Any]:
    """Leave out what a later version may have added; what an older one does not say yet keeps its default."""
    return {name: line[name] for name in kind.__dataclass_fields__ if name in line}
