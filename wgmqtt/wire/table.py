"""The wire contract: topics, and the table a router gets. Pure."""

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
ROUTER_NAME = re.compile(r"[a-z0-9-]{1,32}")
RESERVED_NAMES = frozenset({"hub", "viewer", "canary"})


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
    def hub_status(self) -> str:
        """Return where the hub's view of itself stands."""
        return f"{self.prefix}/hub/{self.hub}/status"

    @property
    def hub_events(self) -> str:
        """Return where the hub's log lines go as they are said; never retained."""
        return f"{self.prefix}/hub/{self.hub}/events"

    @property
    def hub_who(self) -> str:
        """Return where a daemon asks whether another one is alive; never retained."""
        return f"{self.prefix}/hub/{self.hub}/who"

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


def router_client_id(router: str) -> str:
    """Return the MQTT client-id of a router: one of its own, since two clients with one id drive each other out."""
    return f"wgmqtt-{router}"


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
        line["ping"] = peer.ping
        # What is absent is false and 0: a table of 120 peers would not fit otherwise.
        if peer.kick:
            line["kick"] = True
        if peer.after_ms:
            line["after_ms"] = peer.after_ms
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
    body = parse_object(payload, where)
    try:
        own = body.get("self")
        return Table(
            hub=parse_text(body["hub"]),
            seq=parse_seq(body["seq"]),
            own=None if own is None else parse_endpoint(own),
            peers=tuple(_table_peer(line) for line in body["peers"]),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, WgmqttError) as error:
        raise WireError(
            Problem(where, "not a table", "the contract's fields", f"{type(error).__name__}: {error}")
        ) from error


def parse_seq(text: object) -> int:
    """Return the number of a `seq`: a string of digits, so that no JSON reader rounds it."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,20}", text, re.ASCII):
        raise WireError(Problem("seq", "not a sequence number", "1 to 20 digits in a string", repr(text)[:40]))
    return int(text)


def parse_object(payload: bytes, where: str) -> Mapping[str, Any]:
    """Return the JSON object of a payload, if it is of this contract; `where` names the topic."""
    try:
        body = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError(Problem(where, "not JSON", "an object", f"{len(payload)} bytes", str(error)[:80])) from error
    if not isinstance(body, dict) or body.get("v") not in (CONTRACT_VERSION, str(CONTRACT_VERSION)):
        raise WireError(
            Problem(where, "not of this contract", f'an object with "v":{CONTRACT_VERSION}', repr(body)[:40])
        )
    return body


def parse_text(value: object) -> str:
    """Return `value` if it is text; raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not text")
    return value


def parse_endpoint(body: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint of a body's `address` and `port`; raises ValueError, KeyError or TypeError."""
    port = int(body["port"])
    if not 1 <= port <= MAX_PORT:
        raise ValueError(f"port {port}")
    return Endpoint(str(ip_address(parse_text(body["address"]))), port)


def _table_peer(line: Mapping[str, Any]) -> TablePeer:
    return TablePeer(
        key=parse_public_key(parse_text(line["key"])),
        name=parse_text(line["name"]),
        endpoint=parse_endpoint(line) if line.get("address") else None,
        ping=parse_text(line["ping"]),
        kick=line.get("kick") is True,
        after_ms=int(line.get("after_ms", 0)),
    )
