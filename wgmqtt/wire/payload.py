"""The wire contract: what every payload has in common."""

import json
import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from wgmqtt.errors import Problem, WireError
from wgmqtt.model import MAX_PORT, Endpoint
from wgmqtt.wire.text import clip

CONTRACT_VERSION = 1
MAX_TEXT = 2_000  # characters; the longest text of the hub itself, a diagnosis, has a few hundred
MAX_UNIX_S = 253_402_300_799.0  # the last second of the year 9999


def parse_object(payload: bytes, where: str) -> Mapping[str, Any]:
    """Return the JSON object of a payload; `where` is the topic, for messages.

    Raises:
        WireError: it is not an object, or not of this version of the contract.
    """
    try:
        body = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError(Problem(where, "not JSON", "an object", f"{len(payload)} bytes", str(error)[:80])) from error
    if not isinstance(body, dict) or body.get("v") not in (CONTRACT_VERSION, str(CONTRACT_VERSION)):
        raise WireError(Problem(where, "unknown version", f'an object with "v":{CONTRACT_VERSION}', repr(body)[:40]))
    return body


def parse_seq(text: object) -> int:
    """Return the number of a `seq`, which is a string of digits so that no JSON parser rounds it."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,20}", text, re.ASCII):
        raise WireError(Problem("seq", "not a sequence number", "1 to 20 digits in a string", repr(text)[:40]))
    return int(text)


def parse_text(value: object, limit: int = MAX_TEXT) -> str:
    """Return a string, printable and at most `limit` characters long; raise TypeError for another type."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not a string")
    return clip(value, limit)


def parse_number(value: object, most: float = MAX_UNIX_S) -> float:
    """Return a number from 0 to `most`, by default one that is a Unix time; raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.40} is not a number")
    if not 0 <= value <= most:
        raise ValueError(f"{value!r:.40} is not between 0 and {most}")
    return float(value)


def parse_endpoint(body: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint in the fields `address` and `port`; raise ValueError, KeyError or TypeError."""
    port = int(body["port"])
    if not 1 <= port <= MAX_PORT:
        raise ValueError(f"port {port} is not between 1 and {MAX_PORT}")
    address = ip_address(parse_text(body["address"]))
    # Python accepts any text as a zone, also control characters.
    if isinstance(address, IPv6Address) and address.scope_id:
        raise ValueError("an address with a zone")
    return Endpoint(str(address), port)
