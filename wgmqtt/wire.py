"""The wire contract: topics, the table a router gets, the report it sends. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from wgmqtt.errors import Problem, WgmqttError, WireError
from wgmqtt.model import MAX_PORT, Endpoint, PublicKey, parse_public_key

CONTRACT_VERSION = 1
MAX_TABLE_BYTES = 15_000  # below RouterOS 7.17's 16,384 for a message, with room for the topic
MAX_REPORT_BYTES = 32_768  # RouterOS 7.18's own limit for what it publishes
ROUTER_NAME = re.compile(r"[a-z0-9-]{1,32}")
RESERVED_NAMES = frozenset({"hub", "viewer", "canary"})
ROUTEROS_TIME = re.compile(r"(?:([0-9]+)w)?(?:([0-9]+)d)?([0-9]+:[0-9]+:[0-9]+(?:\.[0-9]+)?)?", re.ASCII)
STAGES = ("applied", "final")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics under one prefix, of one hub. Exact topics only: some brokers retain nothing for wildcards."""

    prefix: str
    hub: str

    def endpoints(self, router: str) -> str:
        """Return where `router` reads its table."""
        return f"{self.prefix}/{router}/endpoints"

    def report(self, router: str) -> str:
        """Return where `router` says what it did."""
        return f"{self.prefix}/{router}/report"

    def online(self, router: str) -> str:
        """Return where `router`'s will stands."""
        return f"{self.prefix}/{router}/online"

    @property
    def hub_online(self) -> str:
        """Return where the hub's will stands."""
        return f"{self.prefix}/hub/{self.hub}/online"

    @property
    def hub_fence(self) -> str:
        """Return where the daemon publishes to itself, to know that every retained message before it has come."""
        return f"{self.prefix}/hub/{self.hub}/fence"


@dataclass(frozen=True, slots=True)
class TablePeer:
    """One line of a router's table. No endpoint: leave that peer alone."""

    key: PublicKey
    name: str
    endpoint: Endpoint | None
    ping: str
    kick: bool = False
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """What one router shall know. `seq` grows for ever; the router only echoes it."""

    hub: str
    seq: int
    own: Endpoint | None
    peers: tuple[TablePeer, ...]


@dataclass(frozen=True, slots=True)
class ReportPeer:
    """What a router did with one line, and what it sees. `handshake_s` is the last handshake's age, None: never."""

    key: PublicKey
    did: str
    configured: Endpoint | None
    current: Endpoint | None
    handshake_s: float | None
    rx: str
    error: str


@dataclass(frozen=True, slots=True)
class Report:
    """A router's answer to the table `seq`: `applied` at once, `final` after it sent through the tunnels."""

    seq: int
    stage: str
    script: str
    routeros: str
    caps: tuple[str, ...]
    error: str
    peers: tuple[ReportPeer, ...]


def encode_table(table: Table) -> bytes:
    """Return the payload of `<prefix>/<router>/endpoints`: JSON (RFC 8259), ASCII, no white space.

    Raises:
        WireError: it would pass `MAX_TABLE_BYTES`.
    """
    peers = []
    for peer in table.peers:
        line: dict[str, Any] = {"key": str(peer.key), "name": peer.name}
        if peer.endpoint is not None:
            line |= {"address": peer.endpoint.address, "port": peer.endpoint.port}
        line |= {"ping": peer.ping, "kick": peer.kick, "after_ms": peer.after_ms}
        peers.append(line)
    body: dict[str, Any] = {"v": CONTRACT_VERSION, "hub": table.hub, "seq": str(table.seq)}
    if table.own is not None:
        body["self"] = {"address": table.own.address, "port": table.own.port}
    payload = json.dumps(body | {"peers": peers}, separators=(",", ":")).encode("ascii")
    if len(payload) > MAX_TABLE_BYTES:
        raise WireError(
            Problem(
                "table",
                "too large",
                f"{MAX_TABLE_BYTES} bytes",
                f"{len(payload)} bytes",
                "give this router fewer links",
            )
        )
    return payload


def decode_table(payload: bytes, where: str) -> Table:
    """Return the table that `payload` holds; unknown fields are ignored.

    Raises:
        WireError: it is not a table of this contract. `where` names the topic in the message.
    """
    body = _object(payload, where)
    try:
        own = body.get("self")
        return Table(
            hub=_text(body["hub"]),
            seq=parse_seq(body["seq"]),
            own=None if own is None else _endpoint(own),
            peers=tuple(_table_peer(line) for line in body["peers"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, WgmqttError) as error:
        raise WireError(
            Problem(where, "not a table", "the contract's fields", f"{type(error).__name__}: {error}")
        ) from error


def decode_report(payload: bytes, where: str) -> Report:
    """Return the report that `payload` holds. RouterOS may write numbers as text: both are read.

    Raises:
        WireError: it is not a report of this contract.
    """
    if len(payload) > MAX_REPORT_BYTES:
        raise WireError(Problem(where, "report too large", f"{MAX_REPORT_BYTES} bytes", f"{len(payload)} bytes"))
    body = _object(payload, where)
    try:
        return Report(
            seq=parse_seq(body["seq"]),
            stage=_stage(body["stage"]),
            script=_text(body.get("script", "")),
            routeros=_text(body.get("routeros", "")),
            caps=tuple(_text(cap) for cap in body.get("caps") or ()),
            error=_text(body.get("error", "")),
            peers=tuple(_report_peer(line) for line in body.get("peers") or ()),
        )
    except (KeyError, TypeError, ValueError, AttributeError, WgmqttError) as error:
        raise WireError(
            Problem(where, "not a report", "the contract's fields", f"{type(error).__name__}: {error}")
        ) from error


def parse_seq(text: object) -> int:
    """Return the number of a `seq`: a string of digits, so that no JSON reader rounds it."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,20}", text, re.ASCII):
        raise WireError(Problem("seq", "not a sequence number", "1 to 20 digits in a string", repr(text)[:40]))
    return int(text)


def _object(payload: bytes, where: str) -> Mapping[str, Any]:
    try:
        body = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError(Problem(where, "not JSON", "an object", f"{len(payload)} bytes", str(error)[:80])) from error
    if not isinstance(body, dict) or body.get("v") not in (CONTRACT_VERSION, str(CONTRACT_VERSION)):
        raise WireError(
            Problem(where, "not of this contract", f'an object with "v":{CONTRACT_VERSION}', repr(body)[:40])
        )
    return body


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not text")
    return value


def _stage(value: object) -> str:
    if value not in STAGES:
        raise ValueError(f"stage {value!r:.20} is not one of {STAGES}")
    return _text(value)


def _endpoint(body: Mapping[str, Any]) -> Endpoint:
    port = int(body["port"])
    if not 1 <= port <= MAX_PORT:
        raise ValueError(f"port {port}")
    return Endpoint(str(ip_address(_text(body["address"]))), port)


def _table_peer(line: Mapping[str, Any]) -> TablePeer:
    return TablePeer(
        key=parse_public_key(_text(line["key"])),
        name=_text(line["name"]),
        endpoint=_endpoint(line) if line.get("address") else None,
        ping=_text(line["ping"]),
        kick=line.get("kick") is True,
        after_ms=int(line.get("after_ms", 0)),
    )


def _report_peer(line: Mapping[str, Any]) -> ReportPeer:
    return ReportPeer(
        key=parse_public_key(_text(line["key"])),
        did=_text(line.get("did", "")),
        configured=_spaced_endpoint(line.get("configured")),
        current=_spaced_endpoint(line.get("current")),
        handshake_s=_age_s(line.get("handshake_s")),
        rx=str(line.get("rx", "")),
        error=_text(line.get("error", "")),
    )


def _age_s(value: object) -> float | None:
    """Read an age: a number of seconds, or the text of a RouterOS time (`00:01:32`, `1w2d03:04:05`)."""
    if isinstance(value, int | float):
        return float(value)
    found = ROUTEROS_TIME.fullmatch(_text(value or ""))
    if not found or not found[0]:
        return None
    weeks, days, clock = (int(found[1] or 0), int(found[2] or 0), found[3])
    hours, minutes, seconds = clock.split(":") if clock else ("0", "0", "0")
    return (weeks * 7 + days) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _spaced_endpoint(value: object) -> Endpoint | None:
    """Read `address port`, the form in which a router writes an endpoint: no brackets, the same for both families."""
    if value is None or not _text(value).strip():
        return None
    address, _, port = _text(value).strip().partition(" ")
    try:
        return _endpoint({"address": address, "port": port or "0"})
    except ValueError:
        return None  # a name, or no port yet: nothing that can be compared
