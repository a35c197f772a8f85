"""A real mosquitto in the hub's namespace, configured by `wgmqtt gen-mosquitto`."""

import re
import resource
from pathlib import Path

from lab.network.netns import PROJECT, Namespace
from lab.testbed.child import Child
from lab.testbed.events import PATIENCE_S, Event, EventLog

PORT = 1883
SYSTEMD_FILES = 1024  # the default of a unit without LimitNOFILE
UNIT = PROJECT / "packaging/systemd/mosquitto-wgmqtt.conf"
HUB_USER = "hub"
VIEWER = "viewer"
USER = "mosquitto"  # created by Debian's package


class Broker:
    """mosquitto with the generated files. It has no database, so no old table comes back after a crash."""

    def __init__(self, hub: Namespace, log: EventLog, folder: Path) -> None:
        self._hub = hub
        self._log = log
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"log_dest stderr\ninclude_dir {folder}/conf.d\n")
        self._child = self._start()

    def _start(self) -> Child:
        since_ns = self._log.note("lab", "broker-start").t_ns
        # setpriv changes the user, because the kernel forgets PR_SET_PDEATHSIG when mosquitto itself gives up root.
        limit = ("prlimit", f"--nofile={open_files()}:")
        user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--pdeathsig", "KILL")
        child = Child("broker", self._hub, (*limit, *user, "mosquitto", "-c", str(self._config)), self._log, read_line)
        self._log.expect("broker", "ready", PATIENCE_S, since_ns=since_ns)
        return child

    def start(self) -> None:
        """Start it again after `stop` or `kill`, and return when it accepts connections."""
        assert not self._child.runs, "the broker is running"
        self._child = self._start()

    def stop(self) -> None:
        """Stop it."""
        self._log.note("lab", "broker-stop")
        self._child.stop()

    def kill(self) -> None:
        """Kill it, as a crash does; its retained messages are gone."""
        self._log.note("lab", "broker-kill")
        self._child.kill()

    def signal(self, number: int) -> None:
        """Send it a signal: SIGHUP reads the passwords again, SIGSTOP suspends it, SIGCONT resumes it."""
        self._log.note("lab", "broker-signal", number=number)
        self._child.signal(number)

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()


def open_files() -> int:
    """Return how many files the broker may open with the packaged systemd drop-in, or the most that is allowed here."""
    found = re.search(r"^LimitNOFILE=(\d+)$", UNIT.read_text(), re.MULTILINE)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(int(found[1]) if found else SYSTEMD_FILES, most)


def read_line(source: str, line: str) -> Event:
    """Return the event of a line of mosquitto's log: `1700000000: text`."""
    stamp, _, text = line.partition(": ")
    kind = "ready" if text.startswith("mosquitto version") and text.endswith(" running") else "line"
    # mosquitto's time stamps are whole seconds; the time of reading is more precise.
    return Event.now(source, kind, text=text if stamp.isdigit() else line)
