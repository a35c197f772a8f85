"""The wire contract: the report that a router sends.

A report is decoded in two steps: the head, by which most reports of a flood are rejected, and then the lines.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wgmqtt.errors import Problem, WgmqttError, WireError
from wgmqtt.model import Endpoint, PublicKey, parse_public_key
from wgmqtt.wire.payload import parse_endpoint, parse_object, parse_seq, parse_text
from wgmqtt.wire.text import clip

MAX_REPORT_BYTES = 32_768  # RouterOS 7.18 publishes no more than this
MAX_WORD, MAX_ERROR, MAX_CAPS = 64, 200, 16  # longer texts are cut, more capabilities ignored
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
class ReportHead:
    """What a report says about the router itself, and its lines, not decoded yet."""

    seq: int
    stage: str
    script: str
    routeros: str
    caps: tuple[str, ...]
    error: str
    lines: tuple[Any, ...]

    @property
    def rank(self) -> tuple[int, int]:
        """Return what orders reports of one router: by `seq`, then by stage."""
        return self.seq, STAGES.index(self.stage)


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
    """Return the report in `payload` with all its lines.

    Raises:
        WireError: it is not a report.
    """
    head = decode_head(payload, where)
    with _wire_error(where):
        return _with_peers(head, map(_report_peer, head.lines))


def decode_lines(head: ReportHead, linked: Iterable[PublicKey], where: str) -> Report:
    """Return the report of `head` with its lines about the `linked` peers, one for each, and without the others.

    Raises:
        WireError: one of those lines is malformed.
    """
    with _wire_error(where):
        return _with_peers(head, _linked_peers(head.lines, {str(key) for key in linked}))


def decode_head(payload: bytes, where: str) -> ReportHead:
    """Return the head of the report in `payload`. RouterOS may write a number as a string; both forms are accepted.

    Raises:
        WireError: it is not a report.
    """
    if len(payload) > MAX_REPORT_BYTES:
        raise WireError(
            Problem(where, "report too large", f"at most {MAX_REPORT_BYTES} bytes", f"at least {len(payload)} bytes")
        )
    body = parse_object(payload, where)
    with _wire_error(where):
        return ReportHead(
            seq=parse_seq(body["seq"]),
            stage=_stage(body["stage"]),
            script=_word(body.get("script", "")),
            routeros=_word(body.get("routeros", "")),
            caps=tuple(_word(cap) for cap in tuple(body.get("caps") or ())[:MAX_CAPS]),
            error=parse_text(body.get("error", ""), MAX_ERROR),
            lines=tuple(body.get("peers") or ()),
        )


@contextmanager
def _wire_error(where: str) -> Iterator[None]:
    """Turn whatever a malformed field raises into a WireError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, WgmqttError) as error:
        given = f"{type(error).__name__}: {error}"[:MAX_ERROR]
        raise WireError(Problem(where, "not a report", "the contract's fields", given)) from error


def _with_peers(head: ReportHead, peers: Iterable[ReportPeer]) -> Report:
    return Report(head.seq, head.stage, head.script, head.routeros, head.caps, head.error, tuple(peers))


def _linked_peers(lines: tuple[Any, ...], linked: set[str]) -> Iterator[ReportPeer]:
    for line in lines:
        key = line["key"]
        if key in linked:
            linked.remove(key)
            yield _report_peer(line)


def _word(value: object) -> str:
    return parse_text(value, MAX_WORD)


def _stage(value: object) -> str:
    if value not in STAGES:
        raise ValueError(f"stage {value!r:.20} is not one of {STAGES}")
    return parse_text(value)


def _report_peer(line: Mapping[str, Any]) -> ReportPeer:
    return ReportPeer(
        key=parse_public_key(parse_text(line["key"])),
        did=_word(line.get("did", "")),
        configured=_spaced_endpoint(line.get("configured")),
        current=_spaced_endpoint(line.get("current")),
        handshake_s=_age_s(line.get("handshake_s")),
        rx=clip(str(line.get("rx", "")), MAX_WORD),
        error=parse_text(line.get("error", ""), MAX_ERROR),
    )


def _age_s(value: object) -> float | None:
    """Return an age given as a number of seconds or as a RouterOS time (`00:01:32`, `1w2d03:04:05`)."""
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"age {value} is not a number of seconds")
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
