"""The wire contract: the table of endpoints that one router gets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wgmqtt.errors import Problem, WgmqttError, WireError
from wgmqtt.model import Endpoint, PublicKey, parse_public_key
from wgmqtt.wire.payload import CONTRACT_VERSION, parse_endpoint, parse_object, parse_seq, parse_text

MAX_TABLE_BYTES = 15_000  # RouterOS 7.17 takes messages of 16,384 bytes, topic included


@dataclass(frozen=True, slots=True)
class TablePeer:
    """One line of a router's table. Without an endpoint the router leaves that peer alone."""

    key: PublicKey
    name: str
    endpoint: Endpoint | None
    ping: str
    kick: bool = False
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """The desired endpoints of one router's peers. `seq` only grows; the router echoes it."""

    hub: str
    seq: int
    own: Endpoint | None
    peers: tuple[TablePeer, ...]


def encode_table(table: Table) -> bytes:
    """Return the payload of `<prefix>/<router>/endpoints`: JSON (RFC 8259), ASCII, no white space.

    Raises:
        WireError: it is longer than `MAX_TABLE_BYTES`.
    """
    peers = []
    for peer in table.peers:
        line: dict[str, Any] = {"key": str(peer.key), "name": peer.name}
        if peer.endpoint is not None:
            line |= {"address": peer.endpoint.address, "port": peer.endpoint.port}
        line["ping"] = peer.ping
        # Absent means false and 0; a table of 120 peers would not fit otherwise.
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
        hint = "give this router fewer links"
        limit, size = f"at most {MAX_TABLE_BYTES} bytes", f"{len(payload)} bytes"
        raise WireError(Problem("table", "too large", limit, size, hint))
    return payload


def decode_table(payload: bytes, where: str) -> Table:
    """Return the table in `payload`; unknown fields are ignored. `where` is the topic, for messages.

    Raises:
        WireError: it is not a table.
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


def _table_peer(line: Mapping[str, Any]) -> TablePeer:
    return TablePeer(
        key=parse_public_key(parse_text(line["key"])),
        name=parse_text(line["name"]),
        endpoint=parse_endpoint(line) if line.get("address") else None,
        ping=parse_text(line["ping"]),
        kick=line.get("kick") is True,
        after_ms=int(line.get("after_ms", 0)),
    )
