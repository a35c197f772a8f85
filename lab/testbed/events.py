"""The events of a lab in order of time, and waiting for events to come."""

import bisect
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from lab.network.shell import LabError
from wgmqtt.errors import Problem

PATIENCE_S = 60.0  # for what must happen: only a hang should end a wait, however busy the machine is
SHOWN_ON_FAILURE = 40
FATAL = frozenset({"not-implemented", "crash", "died"})


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when (Unix time in ns), where (site-a, hub, tap, broker, viewer, lab), and what happened."""

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
        """Return an event with the current time."""
        return cls(time.time_ns(), source, kind, data)

    def matches(self, source: str, kind: str, **data: object) -> bool:
        """Return whether source, kind and the given data are these; an empty source or kind matches any."""
        if (source and self.source != source) or (kind and self.kind != kind):
            return False
        return all(self.data.get(name.replace("_", "-"), self.data.get(name)) == value for name, value in data.items())


class EventLog:
    """The events of all processes of a lab, in order of their time stamps. Any thread may add events or wait."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._changed = threading.Condition()

    def add(self, event: Event) -> None:
        """Insert `event` by its time stamp."""
        with self._changed:
            bisect.insort(self._events, event, key=lambda each: each.t_ns)
            self._changed.notify_all()

    def note(self, source: str, kind: str, **data: object) -> Event:
        """Add an event with the current time and return it."""
        event = Event.now(source, kind, **data)
        self.add(event)
        return event

    def since(self, t_ns: int = 0) -> list[Event]:
        """Return the events from `t_ns` on."""
        with self._changed:
            return self._since(t_ns)

    def find(self, source: str, kind: str, *, since_ns: int = 0, **data: object) -> list[Event]:
        """Return the events that match, oldest first; see `Event.matches`."""
        return [event for event in self.since(since_ns) if event.matches(source, kind, **data)]

    def wait_for(
        self, predicate: Callable[[Event], bool], timeout_s: float, *, since_ns: int = 0, what: str = ""
    ) -> Event:
        """Return the first event from `since_ns` on that fulfils `predicate`, past or future.

        Raises:
            LabError: there was none within `timeout_s`, a process died, or an emulator met what it does not implement.
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
                    raise LabError(Problem(what or "event", f"did not come within {timeout_s} s{self._tail()}"))
                self._changed.wait(left_s)

    def expect(self, source: str, kind: str, timeout_s: float, *, since_ns: int = 0, **data: object) -> Event:
        """Return the first matching event, past or future; see `Event.matches` and `wait_for`."""
        wanted = f"{source} {kind} {data or ''}".strip()
        return self.wait_for(
            lambda event: event.matches(source, kind, **data), timeout_s, since_ns=since_ns, what=wanted
        )

    def collect(self, for_s: float, source: str, kind: str, *, since_ns: int, **data: object) -> list[Event]:
        """Wait `for_s`, then return the matching events from `since_ns` on; raise LabError if a process died."""
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
                raise LabError(Problem(what or "event", f"can no longer come: {event}{self._tail()}"))

    def _tail(self) -> str:
        last = self._events[-SHOWN_ON_FAILURE:]
        return "\n  the last events:\n" + "\n".join(f"    {event}" for event in last) if last else " (no events)"


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Return once `is_so` returns true; raise LabError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise LabError(Problem(what, f"did not happen within {timeout_s} s"))
        time.sleep(0.02)
