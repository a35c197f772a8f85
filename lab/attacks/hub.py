"""The hub under attack: pairs of innocent routers that move, one account that was stolen, and what both cost."""

import json
import statistics
from collections.abc import Sequence
from typing import Self

from lab.network.netns import python_module
from lab.network.shell import run
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S
from lab.testbed.process_cost import cpu_s, find_process, memory_mib
from lab.testbed.standalone_hub import HOST, PREFIX, StandaloneHub

THIEF = "t0"


class AttackedHub:
    """A running hub. The thief's router is linked to all innocent routers, which are linked in pairs.

    Each innocent router moves at most once, so that flap damping delays no table.
    """

    def __init__(self, pairs: int = 4) -> None:
        self.pairs = [(f"a{number}", f"b{number}") for number in range(pairs)]
        self.innocent = [name for pair in self.pairs for name in pair]
        self.names = [THIEF, *self.innocent]
        self.hub = StandaloneHub(self.names)
        try:
            self._start()
        except BaseException:
            self.hub.close()
            raise

    def _start(self) -> None:
        hub = self.hub
        hub.settings["links"] = [*map(list, self.pairs), *([THIEF, name] for name in self.innocent)]
        hub.write_config()
        hub.add_interface()
        hub.start_broker(viewer=False)
        self._watch_tables()
        hub.daemon.start()
        hub.expect_log("broker ready")
        hub.set_endpoints(*((name, endpoint(name, 0)) for name in self.names))
        for moved, other in self.pairs:
            hub.expect_table(other, moved, endpoint(moved, 0))
        self._movers = [pair for one, other in self.pairs for pair in ((one, other), (other, one))]
        self.daemon_pid = self._process("wgmqtt")
        self.broker_pid = self._process("mosquitto")

    def _process(self, word: str) -> int:
        return find_process(word, run("ip", "netns", "pids", self.hub.namespace.name))

    def _watch_tables(self) -> None:
        """Subscribe to tables only: a flood of reports would reach a client that subscribes to all topics, too."""
        topics = [f"--topic={PREFIX}/{name}/endpoints" for name in self.names]
        command = python_module("lab.probes.mqtt_user", "--host", HOST, "--user", "hub", *topics)
        child = Child("viewer", self.hub.namespace, command, self.hub.log, read_json_line)
        child.send({"password": self.password("hub")})
        self.hub.log.expect("viewer", "subscribed", PATIENCE_S)

    def password(self, user: str) -> str:
        """Return the password of a user of the broker."""
        return self.hub.secret(user).read_text().strip()

    def now_ns(self) -> int:
        """Return the current time (Unix time, ns)."""
        return self.hub.log.note("lab", "mark").t_ns

    def moves_ms(self, count: int) -> list[float]:
        """Move routers one after the other; return the ms until the other end's table has the new endpoint."""
        found = []
        for _ in range(count):
            moved, other = self._movers.pop()
            since_ns = self.hub.set_endpoints((moved, endpoint(moved, 1)))
            table = self.hub.expect_table(other, moved, endpoint(moved, 1), since_ns=since_ns)
            found.append((table.t_ns - since_ns) / 1e6)
        return found

    def start_thief(self, action: str, *arguments: str, user: str = THIEF, source: str = "thief") -> Child:
        """Start `lab.attacks.thief` with the stolen account; return when it is connected or about to be."""
        command = python_module("lab.attacks.thief", action, "--user", user, *arguments)
        child = Child(source, self.hub.namespace, command, self.hub.log, read_json_line)
        child.send({"password": self.password(user)})
        self.hub.log.expect(source, "started", PATIENCE_S)
        return child

    def result(self, source: str = "thief", timeout_s: float = 300.0) -> dict[str, int]:
        """Return what the thief counted, once it is done."""
        data = self.hub.log.expect(source, "done", timeout_s).data
        return {name: int(str(value)) for name, value in data.items()}

    def daemon_cost(self) -> tuple[float, float]:
        """Return the CPU time (s) and the resident memory (MiB) of the daemon."""
        return cpu_s(self.daemon_pid), memory_mib(self.daemon_pid)

    def log_lines(self, since_ns: int) -> int:
        """Return the number of lines that the daemon has logged."""
        return len(self.hub.log.find("hub", "", since_ns=since_ns))

    def newest_seq(self, router: str) -> str:
        """Return the `seq` of the newest table for a router."""
        tables = self.hub.log.find("viewer", "message", topic=f"{PREFIX}/{router}/endpoints")
        payloads = [str(event.data["payload"]) for event in tables if event.data["payload"]]
        return str(json.loads(payloads[-1])["seq"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.close()


def endpoint(name: str, turn: int) -> str:
    """Return an endpoint that only this router has, a different one for each turn."""
    return f"203.0.113.{(ord(name[0]) + turn) % 250}:{10_000 + int(name[1:])}"


def delays(before_ms: Sequence[float], during_ms: Sequence[float]) -> tuple[float, float, str]:
    """Return by how much the median grew, the longest time, and both as text."""
    before, during = statistics.median(before_ms), statistics.median(during_ms)
    text = f"others' moves published after {before:.0f} ms without, {during:.0f} with, {max(during_ms):.0f} ms at most"
    return during - before, max(during_ms), text
