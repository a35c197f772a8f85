"""The single values of a configuration: how each is read from text, what is allowed, and its JSON Schema. Pure."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from wgmqtt.config.kinds import NUMBER, Refused, Scalar
from wgmqtt.errors import WgmqttError
from wgmqtt.model import MAX_PORT, AnyAddress, AnyNetwork, Endpoint, PublicKey, parse_public_key
from wgmqtt.wire.topics import RESERVED_NAMES, ROUTER_NAME

OLDEST_ROUTEROS: Final = (7, 16)  # options=json.no-string-conversion of :deserialize came with it
MAX_PREFIX = 128

_VERSION = r"7\.(1[6-9]|[2-9][0-9]|[1-9][0-9]{2})(\.[0-9]{1,3})?"
_ADDRESS_SCHEMA = {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}


def text(pattern: str, allowed: str, what: str) -> Scalar[str]:
    """Return the kind of a text that must match the whole `pattern`; `what` is said of one that does not."""
    compiled = re.compile(pattern)

    def parse(value: str) -> str:
        if not compiled.fullmatch(value):
            raise Refused(what)
        return value

    return Scalar(parse, allowed, {"type": "string", "pattern": f"^({pattern})$"})


def choice(*words: str) -> Scalar[str]:
    """Return the kind of a text that is one of `words`."""

    def parse(value: str) -> str:
        if value not in words:
            raise Refused("unknown word")
        return value

    return Scalar(parse, ", ".join(words), {"enum": list(words)}, words=words)


def switch(*words: str) -> Scalar[str]:
    """Return the kind of a text that is one of `words`, "off" among them, which YAML reads as a truth value."""
    kind = choice(*words)
    return replace(kind, schema={"enum": [*words, False]}, tags=frozenset({"str", "bool"}))


def _number(convert: Callable[[str], float], form: str, low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        if not re.fullmatch(form, value) or not low <= convert(value) <= high:
            raise Refused("out of range")
        return convert(value)

    return parse


def seconds(low: float, high: float) -> Scalar[float]:
    """Return the kind of a number of seconds from `low` to `high`."""
    parse = _number(float, r"(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?", low, high)
    return Scalar(parse, f"{low} to {high} seconds", {"type": "number", "minimum": low, "maximum": high}, NUMBER)


def percent(low: float, high: float) -> Scalar[float]:
    """Return the kind of a percentage from `low` to `high`."""
    parse = _number(float, r"(0|[1-9][0-9]?)(\.[0-9]{1,3})?", low, high)
    return Scalar(parse, f"{low} to {high} percent", {"type": "number", "minimum": low, "maximum": high}, NUMBER)


def _parse_port(value: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", value) or int(value) > MAX_PORT:
        raise Refused("not a port")
    return int(value)


def _parse_address(value: str) -> AnyAddress:
    """Return the address that `value` writes, if one machine can have it."""
    try:
        address = ip_address(value)
    except ValueError:
        hint = "without the prefix length" if "/" in value else ""
        raise Refused("not an IP address", hint) from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise Refused("an address with a zone means something else on every machine")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise Refused("an IPv4 address in IPv6 form", f"write {address.ipv4_mapped}")
    kinds = {"unspecified": address.is_unspecified, "multicast": address.is_multicast, "loopback": address.is_loopback}
    kinds |= {"link-local": address.is_link_local, "broadcast": str(address) == "255.255.255.255"}
    for kind, given in kinds.items():
        if given:
            raise Refused(f"{kind} addresses are of no use here")
    return address


def _parse_address_text(value: str) -> str:
    return str(_parse_address(value))


def _parse_endpoint(value: str) -> Endpoint:
    match = re.fullmatch(r"\[([^\]]+)\]:([0-9]+)|([^:]+):([0-9]+)", value)
    if not match:
        raise Refused("not an address with a port")
    if match[1] and ":" not in match[1]:
        raise Refused("brackets stand around IPv6 addresses only")
    return Endpoint(_parse_address_text(match[1] or match[3]), _parse_port(match[2] or match[4]))


def _parse_network(value: str) -> AnyNetwork:
    try:
        return ip_network(value)
    except ValueError:
        pass
    try:
        loose = ip_network(value, strict=False)
    except ValueError:
        raise Refused("not a network") from None
    raise Refused("an address within a network, not the network", f"did you mean {loose}?")


def _parse_key(value: str) -> PublicKey:
    try:
        return parse_public_key(value)
    except WgmqttError as error:
        problem = error.problems[0]
        raise Refused(problem.what, f"print it with: {problem.hint}") from None


@cache  # ten thousand routers, a few versions
def _parse_routeros(value: str) -> tuple[int, int]:
    parts = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,3})(\.[0-9]{1,3})?", value)
    if not parts:
        raise Refused("not a RouterOS version")
    version = (int(parts[1]), int(parts[2]))
    if version < OLDEST_ROUTEROS:
        raise Refused("this RouterOS is too old", "upgrade the router: JSON as the script needs it came with 7.16")
    if not re.fullmatch(_VERSION, value):
        raise Refused("this RouterOS is not known")
    return version


def _parse_router_name(value: str) -> str:
    if not ROUTER_NAME.fullmatch(value):
        hint = f"did you mean {value.lower()}?" if ROUTER_NAME.fullmatch(value.lower()) else ""
        raise Refused("not a router's name", hint)
    if value in RESERVED_NAMES:
        raise Refused("this name is reserved", "it has a meaning of its own in the topics or at the broker")
    return value


def _parse_prefix(value: str) -> str:
    if len(value) > MAX_PREFIX or not re.fullmatch(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", value):
        raise Refused("not a prefix of topics", "no +, #, $, blanks, empty levels, nor / at either end")
    return value


NAME = text(ROUTER_NAME.pattern, "1 to 32 of a-z, 0-9 and -", "not a name of this kind")
ROUTER = Scalar(
    _parse_router_name,
    f"1 to 32 of a-z, 0-9 and -, not {', '.join(sorted(RESERVED_NAMES))}",
    {"type": "string", "pattern": f"^({ROUTER_NAME.pattern})$", "not": {"enum": sorted(RESERVED_NAMES)}},
)
PREFIX = Scalar(
    _parse_prefix,
    f"levels of a-z, A-Z, 0-9, _, . and -, with / between, at most {MAX_PREFIX} characters",
    {"type": "string", "pattern": "^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", "maxLength": MAX_PREFIX},
)
KEY = Scalar(
    _parse_key,
    "44 characters of base64 ending in =",
    {"type": "string", "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"},
)
ROUTEROS = Scalar(_parse_routeros, '"7.16" or a later 7.x', {"type": "string", "pattern": f"^({_VERSION})$"})
ADDRESS = Scalar(_parse_address_text, "an IPv4 or IPv6 address, such as 10.99.0.2", _ADDRESS_SCHEMA)
ENDPOINT = Scalar(
    _parse_endpoint,
    "ADDRESS:PORT or [IPV6]:PORT",
    {"type": "string", "pattern": r"^(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[1-9][0-9]{0,4}$"},
)
NETWORK = Scalar(_parse_network, "a network, such as 100.64.0.0/10", {"type": "string", "pattern": "^[0-9A-Fa-f:./]+$"})
PORT = Scalar(_parse_port, f"1 to {MAX_PORT}", {"type": "integer", "minimum": 1, "maximum": MAX_PORT}, NUMBER)
HOST = text(
    r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+",
    "a host name or an address, without scheme or port",
    "not a host",
)
PATH = text(r"/[^\x00-\x1f\x7f]{0,4094}", "an absolute path", "not an absolute path")
# dev_valid_name() in Linux' net/core/dev.c, and printable ASCII.
LINUX_INTERFACE = text(
    r"(?!\.{1,2}$)[!-.0-9;-~]{1,15}", "1 to 15 printable characters without / and :", "not an interface's name on Linux"
)
# What stands between quotes in a RouterOS script without an escape, and outside of them does not ask for help.
ROUTER_TEXT = r"[!#%&(->@-\[\]-_a-~]([ !#%&(->@-\[\]-_a-~]{0,62}[!#%&(->@-\[\]-_a-~])?"
ROUTER_TEXT_ALLOWED = r"1 to 64 printable ASCII characters without quotes, $, ? and \, no blank at either end"
ROUTER_INTERFACE = text(ROUTER_TEXT, ROUTER_TEXT_ALLOWED, "an interface's name that no script can carry")
CERTIFICATE = text(ROUTER_TEXT, ROUTER_TEXT_ALLOWED, "a certificate's name that no script can carry")
# No colon: it ends the name in mosquitto's password file. The reserved ones are users of their own at the broker.
USERNAME = text(
    r"(?!(viewer|canary)$)[A-Za-z0-9_.@-]{1,64}",
    "1 to 64 of a-z, A-Z, 0-9, _, ., @ and -, not viewer, canary",
    "not a name for the hub's user",
)
