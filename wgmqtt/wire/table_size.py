"""The wire contract: which links fit into the routers' tables."""

from collections.abc import Iterable, Mapping, Sequence

from wgmqtt.model import KEY_BYTES, Endpoint, PublicKey
from wgmqtt.wire.table import MAX_TABLE_BYTES, Table, TablePeer, encode_table

# The longest values that a table can have: an IPv6 address in full, a port of five digits, a seq of twenty.
_LONGEST = Endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
_LONGEST_SEQ = 10**20 - 1
_LONGEST_DELAY_MS = 9_999


def link_groups(
    hub: str, pings: Mapping[str, str], groups: Iterable[Sequence[str]]
) -> tuple[dict[str, set[str]], dict[str, int]]:
    """Return the neighbours of each router, and the bytes of each table that is too large; those get no more lines."""
    lines = {name: _longest_line_bytes(name, ping) for name, ping in pings.items()}
    empty = len(encode_table(Table(hub, _LONGEST_SEQ, _LONGEST, ())))
    neighbours: dict[str, set[str]] = {}
    too_large: dict[str, int] = {}
    for group in groups:
        group_bytes = sum(lines[name] for name in group)
        for name in group:
            known = neighbours.setdefault(name, set())
            size = empty + group_bytes - lines[name] - 1  # the last line has no comma
            before = len(known)
            if size <= MAX_TABLE_BYTES and name not in too_large:
                known.update(group)
                known.discard(name)
            if len(known) > before:
                size = empty + sum(lines[other] for other in known) - 1
            if size > MAX_TABLE_BYTES:
                too_large[name] = max(size, too_large.get(name, 0))
    return neighbours, too_large


def _longest_line_bytes(name: str, ping: str) -> int:
    """Return the most bytes that one line can take in a table, with the comma before the next one."""
    line = TablePeer(PublicKey(bytes(KEY_BYTES)), name, _LONGEST, ping, kick=False, after_ms=_LONGEST_DELAY_MS)
    return len(encode_table(Table("", 0, None, (line,)))) - len(encode_table(Table("", 0, None, ()))) + 1
