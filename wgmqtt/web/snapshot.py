"""The page's data as JSON. Pure."""

import json
from collections.abc import Iterator

from wgmqtt import __version__
from wgmqtt.web.mesh import Mesh, path_states, router_state
from wgmqtt.web.moves import STAGES, Move
from wgmqtt.wire.hub import HubStatus
from wgmqtt.wire.text import clip

MAX_SHOWN = 400

_encode = json.JSONEncoder(separators=(",", ":")).encode


def encode_snapshot(mesh: Mesh) -> bytes:
    """Return everything that the page shows. Times are Unix time in seconds, None for never."""
    status = mesh.status
    body: dict[str, object] = {
        "instance": mesh.instance,
        "revision": mesh.revision,
        "page_version": __version__,
        "hub": mesh.topics.hub,
        "broker": {
            "connected": mesh.broker.is_connected,
            "since_s": mesh.broker.since_s,
            "reason": visible(mesh.broker.reason),
        },
        "online": mesh.is_online,
        "known": status is not None,
        "moves": [move_fields(move) for move in mesh.moves.recent],
    }
    if status is not None:
        body |= {
            "version": visible(status.version),
            "at_s": status.at_s,
            "frozen": status.is_frozen,
            "trouble": visible(status.trouble),
            "hints": visible(status.hints),
            "routers": list(_routers(status)),
            "links": list(_links(status)),
        }
    return _encode(body).encode("ascii")


def encode_move(move: Move) -> bytes:
    """Return one move as JSON."""
    return _encode(move_fields(move)).encode("ascii")


def move_fields(move: Move) -> dict[str, object]:
    """Return one move: for each stage how many ends reached it, the first and the last of them, in ms."""
    stages = {}
    for stage in STAGES:
        reached = move.reached(stage)
        stages[stage] = [len(reached), reached[0], reached[-1]] if reached else [0, None, None]
    return {
        "number": move.number,
        "router": visible(move.router),
        "endpoint": visible(move.endpoint),
        "was": visible(move.was),
        "at_s": move.at_s,
        "kind": move.kind,
        "links": move.links,
        "stages": stages,
    }


def _routers(status: HubStatus) -> Iterator[dict[str, object]]:
    for line in status.routers:
        yield {
            "name": visible(line.name),
            "endpoint": visible(line.endpoint),
            "state": router_state(line, status.at_s),
            "handshake_s": line.handshake_s,
            "heard_s": line.heard_s,
            "applied_ms": line.applied_ms,
            "trouble": visible(line.trouble),
            "note": visible(line.note),
        }


def _links(status: HubStatus) -> Iterator[dict[str, object]]:
    for line, path in zip(status.links, path_states(status), strict=True):
        yield {
            "first": visible(line.first),
            "second": visible(line.second),
            "path": path,
            "since_s": line.since_s,
            "proven_ms": line.proven_ms,
            "trouble": visible(line.trouble),
            "note": visible(line.note),
        }


def visible(text: str) -> str:
    """Return a text so that nothing in it hides, reorders or stretches what is beside it; the page adds no markup."""
    return clip(text, MAX_SHOWN)
