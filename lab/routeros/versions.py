"""Compare versions of RouterOS."""


def parse_version(text: str) -> tuple[int, ...]:
    """Return `7.16.2` as (7, 16, 2), which compares.

    Raises:
        ValueError: not numbers and dots (for example a beta or a release candidate).
    """
    return tuple(int(part) for part in text.split("."))


def is_between(version: str, since: str = "7.0", until: str = "99.0") -> bool:
    """Return whether a version lies from `since` to the last release of `until` (`7.16` includes 7.16.2)."""
    parsed = parse_version(version)
    last = parse_version(until)
    return parse_version(since) <= parsed and parsed[: len(last)] <= last
