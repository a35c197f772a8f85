"""A mesh as a hub publishes it, of any size, with some of everything that can be wrong. Always the same for a size."""

from random import Random

from wgmqtt.wire.hub import HubStatus, LinkLine, RouterLine

TOWNS = (
    "amsterdam",
    "berlin",
    "cologne",
    "dresden",
    "essen",
    "frankfurt",
    "graz",
    "hamburg",
    "innsbruck",
    "jena",
    "kassel",
    "leipzig",
    "munich",
    "nantes",
    "oslo",
    "porto",
    "rotterdam",
    "salzburg",
    "trieste",
    "utrecht",
    "vienna",
    "warsaw",
    "zurich",
)
SILENT = (
    "no handshake with the hub for over 3 minutes: check that the router is on, online, and that its clock is right "
    "(NTP)"
)
NEVER_REPORTED = (
    "has never reported: import its script, then check /iot/mqtt/brokers/print and /log/print on the router"
)
FORBIDDEN = (
    "the NATs do not allow a direct path: forward the WireGuard port at one end, or keep relaying through the hub"
)
LINKS_EACH = 3


def make_mesh(count: int, at_s: float, *, is_calm: bool = False) -> HubStatus:
    """Return a mesh of `count` routers; `is_calm`: all of it works."""
    random = Random(count)  # noqa: S311 - a sample, no secret
    names = [_name(number, count) for number in range(count)]
    silent = set() if is_calm else {names[each] for each in range(2, count, 41)}
    mute = set() if is_calm else {names[each] for each in range(17, count, 53)}
    routers = tuple(_router(name, at_s, name in silent, name in mute, random) for name in names)
    pairs = {
        tuple(sorted((names[one], names[(one + step) % count])))
        for one in range(count)
        for step in (1, *(random.randrange(2, max(3, count - 1)) for _ in range(LINKS_EACH - 1)))
        if (one + step) % count != one
    }
    links = tuple(
        _link(first, second, at_s, {first, second} & (silent | mute), is_calm, random)
        for first, second in sorted(pairs)
    )
    return HubStatus(
        "5eed5eed", "0.1.0", is_frozen=False, at_s=at_s, managed=tuple(names), routers=routers, links=links
    )


def _name(number: int, count: int) -> str:
    town = TOWNS[number % len(TOWNS)]
    return town if count <= len(TOWNS) else f"{town}-{number // len(TOWNS) + 1}"


def _router(name: str, at_s: float, is_silent: bool, is_mute: bool, random: Random) -> RouterLine:  # noqa: FBT001
    address = f"203.0.113.{random.randrange(1, 255)}:{random.randrange(1024, 65535)}"
    return RouterLine(
        name=name,
        endpoint=address,
        handshake_s=at_s - (random.uniform(2000, 9000) if is_silent else random.uniform(0, 120)),
        heard_s=None if is_mute else at_s - random.uniform(0, 40_000),
        applied_ms=None if is_mute else round(random.uniform(8, 60), 1),
        trouble=SILENT if is_silent else NEVER_REPORTED if is_mute else "",
    )


def _link(first: str, second: str, at_s: float, troubled: set[str], is_calm: bool, random: Random) -> LinkLine:  # noqa: FBT001, PLR0913, PLR0917
    draw = 1.0 if is_calm else random.random()
    if troubled:
        return LinkLine(first, second, "down", None, None, f"see {min(troubled)}")
    if draw < 0.04:
        return LinkLine(first, second, "down", None, None, FORBIDDEN)
    if draw < 0.06:
        return LinkLine(first, second, "trying", None, None, "")
    return LinkLine(first, second, "direct", at_s - random.uniform(60, 900_000), round(random.uniform(30, 90), 1), "")
