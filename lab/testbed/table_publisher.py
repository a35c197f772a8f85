"""Publishes tables in the daemon's place: valid ones, and ones that the daemon would never publish."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Self

from lab.network.shell import LabError
from lab.network.topology import Site
from lab.testbed.broker import HUB_USER
from lab.testbed.events import Event
from lab.testbed.lab import Lab
from lab.testbed.setting import PREFIX
from wgmqtt.errors import Problem

MS = 1_000_000
_numbers = count(1)

Entry = Mapping[str, object]


def require(condition: object, what: str, *, wanted: object = "", found: object = "") -> None:
    """Raise LabError unless `condition` holds."""
    if not condition:
        raise LabError(Problem("check", what, str(wanted), str(found)))


@dataclass(frozen=True, slots=True)
class Stage:
    """One report of a router: when the viewer received it, and its content."""

    t_ns: int
    body: Mapping[str, object]

    def line(self, key: str) -> Mapping[str, object]:
        """Return its entry for the peer `key`; raise LabError if there is none."""
        peers = self.body["peers"]
        assert isinstance(peers, list)
        found: list[Mapping[str, object]] = [peer for peer in peers if peer["key"] == key]
        require(found, "the report has no entry for a peer", wanted=key, found=self.body)
        return found[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a router did with one table: when its handler started, its writes, its pings, its reports by stage."""

    started_ns: int
    sets: list[Event]
    pings: list[Event]
    stages: Mapping[str, Stage]

    @property
    def final(self) -> Stage:
        """Return the last report."""
        return self.stages["final"]

    def did(self, key: str) -> object:
        """Return the `did` of the peer `key` in the last report."""
        return self.final.line(key)["did"]

    def set_to(self, key: str) -> list[tuple[str, str]]:
        """Return the endpoints (address, port) that the peer `key` was set to, in order; "" for a part not named."""
        changes = [event.data["changes"] for event in self.sets if event.data["public-key"] == key]
        both = ("endpoint-address", "endpoint-port")
        return [(each.get(both[0], ""), each.get(both[1], "")) for each in changes if isinstance(each, dict)]

    def ms_until(self, event: Event) -> float:
        """Return the milliseconds from the handler's start until `event`, or until a ping started."""
        lasted_ms = event.data["ms"] if event.kind == "ping" else 0.0
        assert isinstance(lasted_ms, float)
        return (event.t_ns - self.started_ns) / MS - lasted_ms


class TablePublisher:
    """Publishes tables to one router as the broker's user `hub`, and returns what the router did with them."""

    def __init__(self, lab: Lab, router: str) -> None:
        self._lab = lab
        self._router = router
        source = f"publisher-{next(_numbers)}"
        self._user = lab.mqtt_user(HUB_USER, source=source)
        lab.log.expect(source, "connected", lab.setting.patience_s)

    def publish(self, payload: str) -> int:
        """Publish any payload as the router's table; return when (Unix time, ns)."""
        since_ns = self._lab.log.note("lab", "publish-table", router=self._router).t_ns
        self._user.send({"topic": f"{PREFIX}/{self._router}/endpoints", "payload": payload})
        return since_ns

    def apply(self, *entries: Entry) -> Outcome:
        """Publish a table of these entries, and return what the router did with it until its handler ended."""
        seq = str(time.time_ns())
        return self.outcome(self.publish(render_table(seq, entries)), seq)

    def outcome(self, since_ns: int, seq: str, *, handlers: int = 1) -> Outcome:
        """Wait until this many handlers have ended and `seq` has its final report; return what was done since."""
        name, log = self._router, self._lab.log
        started = self.handlers_ended(since_ns, handlers)

        def is_last(event: Event) -> bool:
            body = self._report(event)
            return body is not None and body["seq"] == seq and body["stage"] == "final"

        log.wait_for(is_last, self._lab.setting.patience_s, since_ns=since_ns, what=f"{name}'s final report of {seq}")
        stages = {}
        for event in log.since(since_ns):
            body = self._report(event)
            if body and body["seq"] == seq:
                stages[str(body["stage"])] = Stage(event.t_ns, body)
        sets = log.find(name, "set", since_ns=since_ns)
        return Outcome(started.t_ns, sets, log.find(name, "ping", since_ns=since_ns), stages)

    def handlers_ended(self, since_ns: int, handlers: int = 1) -> Event:
        """Wait until this many handlers have ended; return the start of the first."""
        log, name = self._lab.log, self._router
        started = log.expect(name, "handler-start", self._lab.setting.patience_s, since_ns=since_ns)
        log.wait_for(
            lambda _: len(log.find(name, "handler-done", since_ns=since_ns)) >= handlers,
            self._lab.setting.patience_s,
            since_ns=since_ns,
            what=f"the end of {handlers} handlers of {name}",
        )
        done = log.find(name, "handler-done", since_ns=since_ns)
        require(all(event.data["ok"] for event in done), "a handler failed", found=done)
        return started

    def _report(self, event: Event) -> Mapping[str, object] | None:
        if not event.matches("viewer", "message", topic=f"{PREFIX}/{self._router}/report"):
            return None
        body: Mapping[str, object] = json.loads(str(event.data["payload"]))
        return body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._user.stop()


def fresh_endpoint() -> tuple[str, str]:
    """Return an address and a port of the lab's internet that nobody uses, a new one each time."""
    number = next(_numbers)
    return f"203.0.113.{100 + number % 100}", str(20_000 + number)


def entry(site: Site, endpoint: tuple[str, str], **more: object) -> Entry:
    """Return a table's entry for `site`; `more` are further fields, such as kick and after_ms."""
    address, port = endpoint
    line = {"key": site.public_key, "name": site.name, "address": address, "port": int(port), "ping": site.plan.probe}
    return line | more


def render_table(seq: str, entries: tuple[Entry, ...], /, **more: object) -> str:
    """Return the payload of a table; `more` replaces its fields."""
    return json.dumps({"v": 1, "hub": "hub1", "seq": seq, "peers": list(entries)} | more)
