"""What happened in the lab, by time, and waiting for what is to happen. Edge: talks to threads and the clock."""

import bisect
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from lab.network.shell import LabError
from wgmqtt.errors import Problem

SHOWN_WHEN_LATE = 40
FATAL = frozenset({"not-implemented", "crash", "died"})


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: when (Unix time in ns), to whom (site-a, hub, tap, broker, viewer, lab), and what."""

    t_ns: int
    source: str
    kind: str
    data: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        second, rest = divmod(self.t_ns, 1_000_000_000)
        clock = time.strftime("%H:%M:%S", time.gmtime(second))
        data = " ".join(f"{name}={value}" for name, value in self.data.items())
        return f"{clock}.{rest // 1000:06d} {self.source} {self.kind} {data}".rstrip()

    @classmethod
    def now(cls, source: str, kind: str, **data: object) -> Self:
        """Return an event of this moment."""
        return cls(time.time_ns(), source, kind, data)

    def matches(self, source: str, kind: str, **data: object) -> bool:
        """Return whether source, kind and each datum given are these; an empty source or kind is any."""
        if (source and self.source != source) or (kind and self.kind != kind):
            return False
        return all(self.data.get(name.replace("_", "-"), self.data.get(name)) == value for name, value in data.items())


class EventLog:
    """The events of all processes of a lab, in order of their time stamps. Threads may add; any thread may wait."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._changed = threading.Condition()

    def add(self, event: Event) -> None:
        """Put `event` in its place."""
        with self._changed:
            bisect.insort(self._events, event, key=lambda each: each.t_ns)
            self._changed.notify_all()

    def note(self, source: str, kind: str, **data: object) -> Event:
        """Add an event of this moment and return it."""
        event = Event.now(source, kind, **data)
        self.add(event)
        return event

    def since(self, t_ns: int = 0) -> list[Event]:
        """Return the events from `t_ns` on."""
        with self._changed:
            return self._since(t_ns)

    def find(self, source: str, kind: str, *, since_ns: int = 0, **data: object) -> list[Event]:
        """Return the events that match, the oldest first; see `Event.matches`."""
        return [event for event in self.since(since_ns) if event.matches(source, kind, **data)]

    def wait_for(
        self, predicate: Callable[[Event], bool], timeout_s: float, *, since_ns: int = 0, what: str = ""
    ) -> Event:
        """Return the first event from `since_ns` on that fulfils `predicate`, be it past or to come.

        Raises:
            LabError: there was none in `timeout_s`; or a process died, or a site met what it cannot judge.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                recent = self._since(since_ns)
                for event in recent:
                    if predicate(event):
                        return event
                self._raise_if_fatal(recent, what)
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise LabError(Problem(what or "event", f"did not come in {timeout_s} s{self._tail()}"))
                self._changed.wait(left_s)

    def expect(self, source: str, kind: str, timeout_s: float, *, since_ns: int = 0, **data: object) -> Event:
        """Return the first matching event, past or to come; see `Event.matches` and `wait_for`."""
        wanted = f"{source} {kind} {data or ''}".strip()
        return self.wait_for(
            lambda event: event.matches(source, kind, **data), timeout_s, since_ns=since_ns, what=wanted
        )

    def collect(self, for_s: float, source: str, kind: str, *, since_ns: int, **data: object) -> list[Event]:
        """Wait `for_s`, then return the matching events from `since_ns` on; raises LabError if a process died."""
        time.sleep(for_s)
        with self._changed:
            recent = self._since(since_ns)
            self._raise_if_fatal(recent, f"{source} {kind}")
        return [event for event in recent if event.matches(source, kind, **data)]

    def _since(self, t_ns: int) -> list[Event]:
        return self._events[bisect.bisect_left(self._events, t_ns, key=lambda each: each.t_ns) :]

    def _raise_if_fatal(self, events: list[Event], what: str) -> None:
        for event in events:
            if event.kind in FATAL:
                raise LabError(Problem(what or "event", f"cannot come any more: {event}{self._tail()}"))

    def _tail(self) -> str:
        last = self._events[-SHOWN_WHEN_LATE:]
        return "\n  the last events:\n" + "\n".join(f"    {event}" for event in last) if last else " (no event at all)"
