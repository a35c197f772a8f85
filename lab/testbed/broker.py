"""A real mosquitto in the hub's namespace, configured by `wgmqtt gen-mosquitto`. Edge: talks to mosquitto(8)."""

from pathlib import Path

from lab.network.netns import Namespace
from lab.testbed.child import Child
from lab.testbed.events import Event, EventLog

PORT = 1883
HUB_USER = "hub"
VIEWER = "viewer"
USER = "mosquitto"  # Debian's package makes it


class Broker:
    """mosquitto with the product's own files: no database, so no old table comes back after a crash."""

    def __init__(self, hub: Namespace, log: EventLog, folder: Path) -> None:
        self._hub = hub
        self._log = log
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"log_dest stderr\ninclude_dir {folder}/conf.d\n")
        self._child = self._start()

    def _start(self) -> Child:
        since_ns = self._log.note("lab", "broker-start").t_ns
        # Started as its own user at once: the kernel forgets PR_SET_PDEATHSIG when a process gives up root itself.
        user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--pdeathsig", "KILL")
        child = Child("broker", self._hub, (*user, "mosquitto", "-c", str(self._config)), self._log, read_line)
        self._log.expect("broker", "ready", 30.0, since_ns=since_ns)
        return child

    def start(self) -> None:
        """Start it again after `stop` or `kill`; returns when it listens."""
        assert not self._child.runs, "runs already"
        self._child = self._start()

    def stop(self) -> None:
        """Let it end in order."""
        self._log.note("lab", "broker-stop")
        self._child.stop()

    def kill(self) -> None:
        """End it as a crash does; what it retained is gone."""
        self._log.note("lab", "broker-kill")
        self._child.kill()

    def signal(self, number: int) -> None:
        """Send it a signal: SIGHUP reads the passwords again, SIGSTOP makes it silent, SIGCONT ends that."""
        self._log.note("lab", "broker-signal", number=number)
        self._child.signal(number)

    def restart(self) -> None:
        """Crash it and start it again."""
        self.kill()
        self.start()


def read_line(source: str, line: str) -> Event:
    """Return the event of a line of mosquitto's log: `1700000000: text`."""
    stamp, _, text = line.partition(": ")
    kind = "ready" if text.startswith("mosquitto version") and text.endswith(" running") else "line"
    # mosquitto writes whole seconds: the time of reading is nearer.
    return Event.now(source, kind, text=text if stamp.isdigit() else line)
