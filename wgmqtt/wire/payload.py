"""The wire contract: what every payload has in common."""

import json
import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from wgmqtt.errors import Problem, WireError
from wgmqtt.model import MAX_PORT, Endpoint

CONTRACT_VERSION = 1


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


def parse_text(value: object) -> str:
    """Return `value` if it is a string; raise TypeError otherwise."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not a string")
    return value


def parse_endpoint(body: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint in the fields `address` and `port`; raise ValueError, KeyError or TypeError."""
    port = int(body["port"])
    if not 1 <= port <= MAX_PORT:
        raise ValueError(f"port {port} is not between 1 and {MAX_PORT}")
    address = ip_address(parse_text(body["address"]))
    if (
        isinstance(address, IPv6Address) and address.scope_id
    ):  # Python accepts any text as a zone, also control characters
        raise ValueError("an address with a zone")
    return Endpoint(str(address), port)
