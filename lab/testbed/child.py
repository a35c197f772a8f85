"""A program in a namespace whose lines of output become events."""

import json
import subprocess
import threading
import time
from collections.abc import Callable

from lab.network.netns import Namespace
from lab.network.shell import LabError
from lab.testbed.events import PATIENCE_S, Event, EventLog
from wgmqtt.errors import Problem

ReadLine = Callable[[str, str], Event]


def read_json_line(source: str, line: str) -> Event:
    """Return the event of a line `{"t_ns": …, "event": KIND, …}`; for any other line an event `line`."""
    try:
        fields = json.loads(line)
        return Event(int(fields.pop("t_ns")), source, str(fields.pop("event")), fields)
    except (ValueError, KeyError, AttributeError, TypeError):
        return Event(time.time_ns(), source, "line", {"text": line})


class Child:
    """One process. If it ends although nobody stopped it, that is an event `died`, which makes every wait fail.

    The kernel kills it together with the thread that started it (PR_SET_PDEATHSIG).
    """

    def __init__(
        self, source: str, namespace: Namespace, command: tuple[str, ...], log: EventLog, read_line: ReadLine
    ) -> None:
        self.source = source
        self._log = log
        self._read_line = read_line
        self._is_stopping = False
        self._process = namespace.start(*command)
        self._reader = threading.Thread(target=self._read, name=f"reads {source}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Return whether the process is running."""
        return self._process.poll() is None

    def send(self, command: dict[str, object]) -> None:
        """Write `command` as one line of JSON to its standard input."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise LabError(Problem(self.source, "has ended", got=str(command))) from None

    def stop(self, timeout_s: float = PATIENCE_S) -> int:
        """Stop it (SIGTERM, SIGKILL after `timeout_s`) and return its exit status; a second call does nothing."""
        self._is_stopping = True
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._log.note("lab", "line", text=f"{self.source} did not end within {timeout_s} s")
            self._process.kill()
        return self._finish()

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self._is_stopping = True
        self._process.kill()
        self._finish()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def _finish(self) -> int:
        status = self._process.wait()
        self._reader.join(PATIENCE_S)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        return status

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._log.add(self._read_line(self.source, line.rstrip("\n")))
        status = self._process.wait()
        self._log.note(self.source, "ended" if self._is_stopping else "died", status=status)
