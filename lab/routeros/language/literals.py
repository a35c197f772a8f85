"""Read unquoted words and text as values.

Source: the `literal` and `array-member` rows of data/device-measured.json.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network

from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.values import Id, Ip, Ip6, Ip6Prefix, IpPrefix, Time, Value

MAX_NUM = 2**63 - 1
_NUM = re.compile(r"-?[0-9]+|0x[0-9a-fA-F]+")
_ID = re.compile(r"\*[0-9A-Fa-f]+")
_DOTTED = re.compile(r"([0-9]+)\.(?:([0-9]+)\.)?(?:([0-9]+)\.)?([0-9]+)")
_SPAN = re.compile(r"(?:[0-9]+(?:w|d|h|ms|m|us|ns|s))+")
_SPAN_PART = re.compile(r"([0-9]+)(w|d|h|ms|m|us|ns|s)")
_CLOCK = re.compile(r"((?:[0-9]+[wd])*)([0-9]+):([0-9]+)(?::([0-9]+)(?:\.([0-9]{1,9}))?)?")
_SECONDS = re.compile(r"([0-9]+)\.([0-9]{1,9})")
_FRACTION_UNIT = re.compile(r"[0-9]+\.[0-9]+[a-z]+")
_BOOLS = {"true": True, "yes": True, "false": False, "no": False}
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}


@lru_cache(maxsize=4096)
def read_literal(word: str) -> Value:
    """Return the value of an unquoted word; a word that is no other literal is a string.

    Raises:
        NotImplementedInEmulator: how RouterOS reads it was never measured.
    """
    if word in _BOOLS:
        return _BOOLS[word]
    if _ID.fullmatch(word):
        return Id(word)
    for read in (read_num, read_prefix, read_ip, read_time, read_ip6):
        value: Value | None = read(word)
        if value is not None:
            return value
    if _FRACTION_UNIT.fullmatch(word):
        raise NotImplementedInEmulator(f"the literal {word}")
    return word


def read_num(text: str) -> int | None:
    """Return a number, limited to 64 bits as in RouterOS, or None."""
    if not _NUM.fullmatch(text):
        return None
    number = int(text, 0) if text.startswith("0x") else int(text)
    return max(-MAX_NUM, min(MAX_NUM, number))


def read_ip(text: str) -> Ip | None:
    """Return an IPv4 address; missing parts are zeros before the last one: `1.1` is 1.0.0.1."""
    match = _DOTTED.fullmatch(text)
    if match is None:
        return None
    first, second, third, last = match.groups()
    parts = [int(part or "0") for part in (first, second, third, last)]
    return Ip(IPv4Address(bytes(parts))) if max(parts) < 256 else None


def read_ip6(text: str) -> Ip6 | None:
    """Return an IPv6 address."""
    try:
        return Ip6(IPv6Address(text)) if ":" in text and "%" not in text else None
    except AddressValueError:
        return None


def read_prefix(text: str) -> IpPrefix | Ip6Prefix | None:
    """Return a prefix; an IPv4 prefix keeps its host bits, an IPv6 prefix loses them."""
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal():
        return None
    bits = int(length)
    ip, ip6 = read_ip(address), read_ip6(address)
    if ip is not None and bits <= 32:
        return IpPrefix(ip.address, bits)
    if ip6 is not None and bits <= 128:
        return Ip6Prefix(IPv6Network((ip6.address, bits), strict=False).network_address, bits)
    return None


def read_time(text: str) -> Time | None:
    """Return a time: `1w2d`, `2s3m4h`, `9:00`, `1d00:00:00`, `1.256` (seconds)."""
    ns = 0
    if _SPAN.fullmatch(text):
        ns = _span_ns(text)
    elif match := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds, fraction = match.groups()
        ns = _span_ns(days) + _span_ns(f"{hours}h{minutes}m{seconds or 0}s") + int((fraction or "0").ljust(9, "0"))
    elif match := _SECONDS.fullmatch(text):
        ns = _span_ns(f"{match[1]}s") + int(match[2].ljust(9, "0"))
    else:
        return None
    return Time(ns) if ns <= MAX_NUM else None


def _span_ns(text: str) -> int:
    return sum(int(count) * _UNIT_NS[unit] for count, unit in _SPAN_PART.findall(text))
