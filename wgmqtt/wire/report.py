"""The wire contract: the report that a router sends."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wgmqtt.errors import Problem, WgmqttError, WireError
from wgmqtt.model import Endpoint, PublicKey, parse_public_key
from wgmqtt.wire.payload import parse_endpoint, parse_object, parse_seq, parse_text

MAX_REPORT_BYTES = 32_768  # RouterOS 7.18 publishes no more than this
STAGES = ("applied", "final")
ROUTEROS_TIME = re.compile(r"(?:([0-9]+)w)?(?:([0-9]+)d)?([0-9]+:[0-9]+:[0-9]+(?:\.[0-9]+)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReportPeer:
    """What a router did with one line of its table, and that peer's state. `handshake_s` is an age, None for never."""

    key: PublicKey
    did: str
    configured: Endpoint | None
    current: Endpoint | None
    handshake_s: float | None
    rx: str
    error: str


@dataclass(frozen=True, slots=True)
class Report:
    """A router's answer to the table `seq`: stage `applied` at once, `final` after it has sent through the tunnels."""

    seq: int
    stage: str
    script: str
    routeros: str
    caps: tuple[str, ...]
    error: str
    peers: tuple[ReportPeer, ...]


def decode_report(payload: bytes, where: str) -> Report:
    """Return the report in `payload`. RouterOS may write a number as a string; both forms are accepted.

    Raises:
        WireError: it is not a report.
    """
    if len(payload) > MAX_REPORT_BYTES:
        raise WireError(
            Problem(where, "report too large", f"at most {MAX_REPORT_BYTES} bytes", f"at least {len(payload)} bytes")
        )
    body = parse_object(payload, where)
    try:
        return Report(
            seq=parse_seq(body["seq"]),
            stage=_stage(body["stage"]),
            script=parse_text(body.get("script", "")),
            routeros=parse_text(body.get("routeros", "")),
            caps=tuple(parse_text(cap) for cap in body.get("caps") or ()),
            error=parse_text(body.get("error", "")),
            peers=tuple(_report_peer(line) for line in body.get("peers") or ()),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, WgmqttError) as error:
        raise WireError(
            Problem(where, "not a report", "the contract's fields", f"{type(error).__name__}: {error}")
        ) from error


def _stage(value: object) -> str:
    if value not in STAGES:
        raise ValueError(f"stage {value!r:.20} is not one of {STAGES}")
    return parse_text(value)


def _report_peer(line: Mapping[str, Any]) -> ReportPeer:
    return ReportPeer(
        key=parse_public_key(parse_text(line["key"])),
        did=parse_text(line.get("did", "")),
        configured=_spaced_endpoint(line.get("configured")),
        current=_spaced_endpoint(line.get("current")),
        handshake_s=_age_s(line.get("handshake_s")),
        rx=str(line.get("rx", "")),
        error=parse_text(line.get("error", "")),
    )


def _age_s(value: object) -> float | None:
    """Return an age given as a number of seconds or as a RouterOS time (`00:01:32`, `1w2d03:04:05`)."""
    if isinstance(value, int | float):
        return float(value)
    found = ROUTEROS_TIME.fullmatch(parse_text(value or ""))
    if not found or not found[0]:
        return None
    weeks, days, clock = (int(found[1] or 0), int(found[2] or 0), found[3])
    hours, minutes, seconds = clock.split(":") if clock else ("0", "0", "0")
    return (weeks * 7 + days) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _spaced_endpoint(value: object) -> Endpoint | None:
    """Return the endpoint in `address port`, as a router writes it: no brackets, the same for both families."""
    if value is None or not parse_text(value).strip():
        return None
    address, _, port = parse_text(value).strip().partition(" ")
    try:
        return parse_endpoint({"address": address, "port": port or "0"})
    except ValueError:
        return None  # a host name, or no port yet: not comparable
