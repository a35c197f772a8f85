"""The routers of the lab: one emulator process inside each site. Edge: talks to `python -m lab.routeros.site`."""

from collections.abc import Mapping
from pathlib import Path

from lab.network.netns import python_module
from lab.network.shell import LabError
from lab.network.topology import Site
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import Event, EventLog
from wgmqtt.errors import Problem

START_S = 20.0
SCRIPT_S = 60.0


class SiteRouter:
    """The RouterOS of one site. Its events carry the site's name as their source."""

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
        self._log.expect(self.name, "ready", START_S, since_ns=since_ns)
        return child

    def import_script(self, file: Path) -> Event:
        """Run `/import file`; returns the event `import-done`, raises LabError if RouterOS would have refused."""
        return self._run({"do": "import", "file": str(file)}, "import-done")

    def run(self, source: str) -> str:
        """Run RouterOS commands and return the result as text; raises LabError if RouterOS would have refused."""
        return str(self._run({"do": "run", "source": source}, "run-done").data.get("result", ""))

    def _run(self, command: dict[str, object], done: str) -> Event:
        since_ns = self._log.note("lab", "line", text=f"{self.name}: {command}").t_ns
        self._child.send(command)
        event = self._log.expect(self.name, done, SCRIPT_S, since_ns=since_ns)
        if not event.data.get("ok"):
            raise LabError(Problem(f"{self.name} {command}", f"RouterOS refuses: {event.data.get('error')}"))
        return event

    def receives(self, topic: str, payload: str) -> None:
        """Feed a message as if the broker had sent it: a replay, or one that nobody should believe."""
        self._child.send({"do": "message", "topic": topic, "payload": payload})

    def loses_mqtt(self) -> None:
        """Break its connection to the broker; it comes back by itself."""
        self._child.send({"do": "drop-mqtt"})

    def power_cut(self) -> None:
        """End it at once."""
        self._child.kill()

    def power_on(self) -> None:
        """Start it again, with nothing imported."""
        self._child = self._start()

    def stop(self) -> None:
        """End it."""
        self._child.stop()
