"""The wire contract: what the hub says of itself. Pure."""

import json
from dataclasses import dataclass

from wgmqtt.errors import WireError
from wgmqtt.wire import CONTRACT_VERSION, parse_object, parse_text


@dataclass(frozen=True, slots=True)
class Online:
    """Whether the daemon `instance` is there. `answers` is the instance that asked, if one did."""

    is_online: bool
    instance: str
    answers: str = ""


@dataclass(frozen=True, slots=True)
class HubStatus:
    """The hub's view of itself. `routers` are those whose topics it has filled: who is gone later is known by it."""

    instance: str
    version: str
    is_frozen: bool
    routers: tuple[str, ...]


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


def encode_status(status: HubStatus) -> bytes:
    """Return the payload of `<prefix>/hub/<hub>/status`."""
    body = {
        "v": CONTRACT_VERSION,
        "instance": status.instance,
        "version": status.version,
        "frozen": status.is_frozen,
        "routers": list(status.routers),
    }
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def decode_status(payload: bytes, where: str) -> HubStatus | None:
    """Return what a hub's status topic says, or None where it says nothing that can be read."""
    try:
        body = parse_object(payload, where)
        return HubStatus(
            parse_text(body["instance"]),
            parse_text(body["version"]),
            body["frozen"] is True,
            tuple(parse_text(name) for name in body["routers"]),
        )
    except (WireError, KeyError, TypeError):
        return None
