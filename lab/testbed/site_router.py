"""The router of a site: a process of the RouterOS emulator (`python -m lab.routeros.site`)."""

from collections.abc import Mapping
from pathlib import Path

from lab.network.netns import python_module
from lab.network.shell import LabError
from lab.network.topology import Site
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S, Event, EventLog
from wgmqtt.errors import Problem


class SiteRouter:
    """The RouterOS of one site. The source of its events is the site's name."""

    def __init__(self, site: Site, log: EventLog, version: str, switches: Mapping[str, str]) -> None:
        self.site = site
        self.name = site.name
        self.version = version
        self._switches = [word for each in switches.items() for word in ("--switch", "=".join(each))]
        self._log = log
        self._child = self._start()

    def _start(self) -> Child:
        since_ns = self._log.note("lab", "router-start", site=self.name).t_ns
        of_router = ("--interface", "wg0", "--name", self.name, "--version", self.version, *self._switches)
        command = python_module("lab.routeros.site", *of_router)
        child = Child(self.name, self.site.namespace, command, self._log, read_json_line)
        self._log.expect(self.name, "ready", PATIENCE_S, since_ns=since_ns)
        return child

    def import_script(self, file: Path) -> Event:
        """Run `/import` on a file; return the event `import-done`; raise LabError if RouterOS would reject it."""
        return self._run({"do": "import", "file": str(file)}, "import-done")

    def run(self, source: str) -> str:
        """Run RouterOS commands and return the result as text; raise LabError if RouterOS would reject them."""
        return str(self._run({"do": "run", "source": source}, "run-done").data.get("result", ""))

    def _run(self, command: dict[str, object], done: str) -> Event:
        since_ns = self._log.note("lab", "line", text=f"{self.name}: {command}").t_ns
        self._child.send(command)
        event = self._log.expect(self.name, done, PATIENCE_S, since_ns=since_ns)
        if not event.data.get("ok"):
            raise LabError(Problem(f"{self.name} {command}", f"RouterOS rejects it: {event.data.get('error')}"))
        return event

    def receives(self, topic: str, payload: str) -> None:
        """Give the router a message as if the broker had sent it, such as a replayed or a hostile one."""
        self._child.send({"do": "message", "topic": topic, "payload": payload})

    def loses_mqtt(self) -> None:
        """Drop its connection to the broker; the router connects again by itself."""
        self._child.send({"do": "drop-mqtt"})

    def power_cut(self) -> None:
        """Kill it."""
        self._child.kill()

    def power_on(self) -> None:
        """Start it again, with nothing imported."""
        self._child = self._start()

    def stop(self) -> None:
        """Stop it."""
        self._child.stop()
