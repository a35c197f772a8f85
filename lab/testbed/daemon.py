"""The daemon of the hub, `python -m wgmqtt run`, as a child process whose log lines become events."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from lab.network.netns import Namespace, python_module
from lab.testbed.child import Child
from lab.testbed.events import Event, EventLog

_LINE = re.compile(r"(?P<when>\d{4}-\S+Z) (?P<level>debug|info|warning|error|critical) (?P<rest>.*)")
_PAIR = re.compile(r"(?:^|\s)([A-Za-z_][\w-]*)=(\"(?:[^\"\\]|\\.)*\"|\S*)")


class Daemon:
    """wgmqtt in the hub's namespace. A log line is an event; its kind is the phrase, its data the key=value pairs."""

    module = "wgmqtt"

    def __init__(
        self, hub: Namespace, log: EventLog, config: Path, options: tuple[str, ...] = (), source: str = "hub"
    ) -> None:
        self._hub = hub
        self._log = log
        self._source = source
        self._arguments = ("run", "-c", str(config), *options)
        self._child: Child | None = None

    def start(self) -> None:
        """Start it, and return without waiting."""
        assert self._child is None or not self._child.runs, "the daemon is running"
        self._log.note("lab", "daemon-start")
        command = python_module(self.module, *self._arguments)
        self._child = Child(self._source, self._hub, command, self._log, read_line)

    def stop(self) -> int | None:
        """Stop it (SIGTERM) and return its exit status, None if it was never started."""
        self._log.note("lab", "daemon-stop")
        return self._child.stop() if self._child else None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._log.note("lab", "daemon-signal", number=number)
        if self._child:
            self._child.signal(number)

    def kill(self) -> None:
        """Kill it, as a crash does."""
        self._log.note("lab", "daemon-kill")
        if self._child:
            self._child.kill()

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()


def read_line(source: str, line: str) -> Event:
    """Return the event of a log line `2025-01-31T12:00:00.123456Z level phrase key=value …`, else an event `line`."""
    found = _LINE.fullmatch(line)
    if not found:
        return Event.now(source, "line", text=line)
    rest = found["rest"]
    first = _PAIR.search(rest)
    phrase = rest[: first.start()] if first else rest
    pairs: dict[str, object] = {
        name: json.loads(value) if value.startswith('"') else value for name, value in _PAIR.findall(rest)
    }
    when = datetime.fromisoformat(found["when"])
    since_epoch = when - datetime(1970, 1, 1, tzinfo=UTC)
    t_ns = (since_epoch.days * 86400 + since_epoch.seconds) * 1_000_000_000 + since_epoch.microseconds * 1000
    return Event(t_ns, source, phrase.strip(), pairs | {"level": found["level"]})
