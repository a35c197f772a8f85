"""Who is linked with whom, and whether each router's table fits into a message. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wgmqtt.model import KEY_BYTES, Endpoint, Link, PublicKey, link_of
from wgmqtt.wire.table import MAX_TABLE_BYTES, Table, TablePeer, encode_table

# The longest that a table can hold: an IPv6 address in full, a port of five digits, a sequence number of twenty.
_LONGEST = Endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
_LONGEST_SEQ = 10**20 - 1
_LONGEST_DELAY_MS = 9_999
_ANY_KEY = PublicKey(bytes(KEY_BYTES))


@dataclass(slots=True)
class Mesh:
    """The neighbours of each router, and the routers whose table would be too large, with its bytes."""

    hub: str
    pings: Mapping[str, str]  # by router
    neighbours: dict[str, set[str]] = field(default_factory=dict)
    too_large: dict[str, int] = field(default_factory=dict)
    _empty_bytes: int = 0
    _line_bytes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._empty_bytes = self._bytes_of_table()

    def add_group(self, names: Sequence[str]) -> None:
        """Link every two of `names`. A router whose table is too large already gets no more, to bound the work."""
        group_bytes = sum(map(self._bytes_of_line, names))
        for name in names:
            alone = self._bytes_with(group_bytes - self._bytes_of_line(name))
            if alone > MAX_TABLE_BYTES:
                self.too_large[name] = max(alone, self.too_large.get(name, 0))
            elif name not in self.too_large:
                self._add_neighbours(name, names)

    def links(self) -> frozenset[Link]:
        """Return each link once."""
        return frozenset(link_of(name, other) for name, others in self.neighbours.items() for other in others)

    def _add_neighbours(self, name: str, others: Sequence[str]) -> None:
        known = self.neighbours.setdefault(name, set())
        before = len(known)
        known.update(others)
        known.discard(name)
        if len(known) > before:
            table_bytes = self._bytes_with(sum(map(self._bytes_of_line, known)))
            if table_bytes > MAX_TABLE_BYTES:
                self.too_large[name] = table_bytes

    def _bytes_with(self, lines_bytes: int) -> int:
        """Return the bytes of a table with these lines; each counts the comma after it, and the last has none."""
        return self._empty_bytes + max(0, lines_bytes - 1)

    def _bytes_of_line(self, name: str) -> int:
        if name not in self._line_bytes:
            peer = TablePeer(_ANY_KEY, name, _LONGEST, self.pings[name], kick=False, after_ms=_LONGEST_DELAY_MS)
            self._line_bytes[name] = self._bytes_of_table(peer) - self._empty_bytes + 1
        return self._line_bytes[name]

    def _bytes_of_table(self, *peers: TablePeer) -> int:
        return len(encode_table(Table(self.hub, _LONGEST_SEQ, _LONGEST, peers)))
