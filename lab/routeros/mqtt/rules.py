"""The rules of RouterOS's MQTT client: which handler runs, what can be published, when to retry.

Sources: MQTT 3.1.1 (OASIS), section 4.7 for topics; MikroTik's manual, page MQTT, "Subscriptions" for the choice of the
handler; the console's own limits for the length of a message.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from lab.routeros.versions import is_between

T = TypeVar("T")

KEEP_ALIVE_S = (30, 64_800)
SCRIPTS_LIMIT = (3, 1_000)
TOPIC_BYTES = 16_384
CONNECT_TIMEOUT_S = 5.0
ACKNOWLEDGE_TIMEOUT_S = 10.0
DEFAULT_CLIENT_ID = "MT00000000"  # the same on every router, so that two routers with the default collide here too
_RETRY_FIRST_S = 1.0
_RETRY_LONGEST_S = 10.0


def message_limit_bytes(version: str) -> int:
    """Return the maximum length of a published message: 32768 from 7.18, 16384 before.

    7.16 and older were not measured; they are assumed to be like 7.17.
    """
    return 32_768 if is_between(version, since="7.18") else 16_384


def retry_delay_s(failures: int) -> float:
    """Return how long auto-connect waits after this many failures in a row: 1 s, doubled, at most 10 s.

    RouterOS's own delays are not documented; these are assumed.
    """
    return float(min(_RETRY_LONGEST_S, _RETRY_FIRST_S * 2 ** max(0, failures - 1)))


def is_topic_name(topic: str) -> bool:
    """Return whether a topic can be published to: not empty, no wildcard, no NUL."""
    return 0 < len(topic) <= TOPIC_BYTES and not set("+#\0") & set(topic)


def is_topic_filter(topic: str) -> bool:
    """Return whether a topic can be subscribed to: a wildcard fills its level, `#` only at the end."""
    levels = topic.split("/")
    if not 0 < len(topic) <= TOPIC_BYTES or "\0" in topic or any("#" in level for level in levels[:-1]):
        return False
    return all(level in ("+", "#") or not set("+#") & set(level) for level in levels)


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether a topic matches a subscription's topic (`a/#` also matches `a`)."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        given = given[: len(wanted)] if len(given) >= len(wanted) else given
    return len(wanted) == len(given) and all(w in ("+", g) for w, g in zip(wanted, given, strict=True))


def _rank(topic_filter: str) -> tuple[int, int]:
    """Return the sort key: exact topics first, then `+` without `#`, then `#` with the most levels."""
    levels = topic_filter.split("/")
    if "#" in levels:
        return 2, -len(levels)
    return (1 if "+" in levels else 0), 0


def choose_handler(subscriptions: Iterable[T], topic_of: Callable[[T], str], topic: str) -> T | None:
    """Return the one subscription whose handler runs for a message, None if none matches.

    Of equals (the same topic twice, or two topics with `+`) the first is taken; this is assumed, not documented.
    """
    fitting = [subscription for subscription in subscriptions if matches(topic_of(subscription), topic)]
    return min(fitting, key=lambda subscription: _rank(topic_of(subscription)), default=None)
