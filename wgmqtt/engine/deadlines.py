"""Deadlines by key, in a heap, so that a step costs the same however many are pending."""

import heapq
import math
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from wgmqtt.model import Link

Key = TypeVar("Key", str, Link)
_SLACK = 16


@dataclass(slots=True)
class Deadlines(Generic[Key]):
    """One deadline per key, in monotonic seconds.

    A replaced or removed deadline stays in the heap and is skipped later; `at_s` has the valid ones.
    """

    at_s: dict[Key, float] = field(default_factory=dict)
    _heap: list[tuple[float, Key]] = field(default_factory=list, compare=False, repr=False)

    def __contains__(self, key: Key) -> bool:
        return key in self.at_s

    def __len__(self) -> int:
        return len(self.at_s)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.at_s)

    def set(self, key: Key, at_s: float) -> None:
        """Set or replace the deadline of a key."""
        if self.at_s.get(key) == at_s:
            return
        self.at_s[key] = at_s
        heapq.heappush(self._heap, (at_s, key))
        if len(self._heap) > 2 * len(self.at_s) + _SLACK:
            self._rebuild()

    def discard(self, key: Key) -> None:
        """Remove the deadline of a key, if it has one."""
        self.at_s.pop(key, None)

    def next_s(self) -> float:
        """Return the nearest deadline; infinity if there is none."""
        while self._heap and self.at_s.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def pop_due(self, mono_s: float) -> list[Key]:
        """Remove the deadlines that have passed, and return their keys in the order of the deadlines."""
        due = list[Key]()
        while self.next_s() <= mono_s:
            _, key = heapq.heappop(self._heap)
            del self.at_s[key]
            due.append(key)
        return due

    def keep(self, keys: Container[Key]) -> None:
        """Remove the deadlines of all other keys."""
        self.at_s = {key: at_s for key, at_s in self.at_s.items() if key in keys}
        self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(at_s, key) for key, at_s in self.at_s.items()]
        heapq.heapify(self._heap)
