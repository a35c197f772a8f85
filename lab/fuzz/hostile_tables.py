"""Generate hostile tables: valid tables with random changes in the document and in its bytes.

The same random numbers give the same table.
"""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from lab.fuzz.handler_rig import HUB_KEY, entry, key_of, ping_of, place_of
from lab.fuzz.hostile_texts import ADDRESSES, CANARY, FIELDS, ODD, OTHER_INTERFACE, SCRIPTS, SNIPPETS, UNKNOWN


def numbers_of(seed: int) -> Random:
    """Return a reproducible source of random numbers."""
    return Random(seed)  # noqa: S311 - no secret is made of them


def hostile_table(random: Random) -> bytes:
    """Return a table for a router with the peers 1 to 5."""
    roll = random.random()
    body = valid_body(random)
    if roll < 0.1:
        return _encode(body, random)
    if roll < 0.6:
        for _ in range(random.randint(1, 4)):
            body = random.choice(_CHANGES)(body, random)
        return _encode(body, random)
    if roll < 0.95:
        if random.random() < 0.5:
            body = random.choice(_CHANGES)(body, random)
        return _spoiled(_encode(body, random), random)
    return random.randbytes(random.choice((1, 5, 50, 400)))


def valid_body(random: Random) -> dict[str, Any]:
    """Return a table as the hub would write it, sometimes with peers that the router does not have."""
    numbers = random.sample(range(1, 6), random.choice((1, 1, 1, 2, 2, 3, 5)))
    lines = [_valid_entry(number, random) for number in numbers]
    if random.random() < 0.3:
        stranger = random.choice((0, UNKNOWN, OTHER_INTERFACE))
        lines.insert(random.randint(0, len(lines)), _valid_entry(stranger, random))
    return {"v": 1, "hub": "hub1", "seq": str(random.randint(0, 10**19)), "peers": lines}


def _valid_entry(number: int, random: Random) -> dict[str, Any]:
    place = place_of(number, random.choice((13231, 2000, random.randint(1, 65535))))
    if random.random() < 0.15:
        place = (f"2001:db8::{random.randint(1, 65535):x}", place[1])
    line = entry(number, place if random.random() < 0.93 else None)
    if random.random() < 0.4:
        line["kick"] = True
    if random.random() < 0.3:
        line["after_ms"] = random.choice((450, 450, 50, 2000))
    return line


def _encode(body: object, random: Random) -> bytes:
    ascii_only = random.random() < 0.8
    text = json.dumps(body, separators=(",", ":") if random.random() < 0.8 else None, ensure_ascii=ascii_only)
    if random.random() < 0.1:
        text = text.replace("/", "\\/")
    return text.encode("utf-8", "surrogatepass")


# Changes of the document


def _odd(random: Random) -> object:
    pool: Sequence[Any] = random.choice((SCRIPTS, ADDRESSES, ODD, ODD))
    value: object = deepcopy(random.choice(pool))  # a later change may go into it
    return value


def _entries(body: Any) -> list[Any]:  # noqa: ANN401 - any document
    peers = body.get("peers") if isinstance(body, dict) else None
    return [line for line in peers if isinstance(line, dict)] if isinstance(peers, list) else []


def _change_field(body: Any, random: Random) -> Any:  # noqa: ANN401 - any document
    if lines := _entries(body):
        random.choice(lines)[random.choice(FIELDS)] = _odd(random)
    return body


def _drop_field(body: Any, random: Random) -> Any:  # noqa: ANN401 - any document
    if lines := _entries(body):
        random.choice(lines).pop(random.choice(FIELDS), None)
    return body


def _change_top(body: Any, random: Random) -> Any:  # noqa: ANN401 - any document
    if isinstance(body, dict):
        body[random.choice(("v", "seq", "peers", "hub", "self", CANARY))] = _odd(random)
    return body


def _add_line(body: Any, random: Random) -> Any:  # noqa: ANN401 - any document
    peers = body.get("peers") if isinstance(body, dict) else None
    if isinstance(peers, list):
        again = deepcopy(random.choice(_entries(body) or [{}]))
        line = random.choice((_odd(random), again, _valid_entry(random.randint(0, 5), random), [again]))
        peers.insert(random.randint(0, len(peers)), line)
    return body


def _another_key(body: Any, random: Random) -> Any:  # noqa: ANN401 - any document
    if lines := _entries(body):
        key = random.choice((HUB_KEY, key_of(OTHER_INTERFACE), key_of(random.randint(1, 5)), key_of(1)[:-2] + "F="))
        random.choice(lines)["key"] = random.choice((key, f" {key}", key + "\n", key[:-1], key.lower(), [key]))
    return body


def _hub_ping(body: Any, random: Random) -> Any:  # noqa: ANN401 - any document
    if lines := _entries(body):
        random.choice(lines)["ping"] = random.choice(("10.99.0.1", "0.0.0.0", "::1", ping_of(3)))  # noqa: S104
    return body


def _wrap(body: Any, random: Random) -> Any:  # noqa: ANN401 - any document
    if isinstance(body, dict) and random.random() < 0.5:
        body["peers"] = {str(number): line for number, line in enumerate(_entries(body))}
        return body
    for _ in range(random.choice((1, 1, 70, 200))):
        body = [body]
    return body


_CHANGES: tuple[Callable[[Any, Random], Any], ...] = (
    _change_field,
    _change_field,
    _change_field,
    _drop_field,
    _change_top,
    _add_line,
    _another_key,
    _hub_ping,
    _wrap,
)


# Changes of the bytes


def _spoiled(payload: bytes, random: Random) -> bytes:
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randint(0, len(payload))
        to = min(len(payload), at + random.choice((1, 1, 3, 20)))
        match random.randint(0, 6):
            case 0:
                payload = payload[:at] + payload[to:]
            case 1 | 2:
                payload = payload[:at] + random.choice(SNIPPETS) + payload[at:]
            case 3:
                payload = payload[:at] + random.choice(SNIPPETS) + payload[to:]
            case 4:
                payload = payload[:to] + payload[at:]
            case 5:
                payload = payload[:at] + random.choice(SCRIPTS).encode() + payload[at:]
            case _:
                payload = payload[:at] + bytes([random.randint(0, 255)]) + payload[to:]
    return payload
