"""The steps of one move, printed as they happen, each with the time since the hub received the first packet."""

from dataclasses import dataclass

from lab.testbed.events import PATIENCE_S, Event
from lab.testbed.lab import Lab

MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what happened, and when, in milliseconds after the first packet from the new address."""

    what: str
    ms: float


class Timeline:
    """Follows one switch of the link from `moved` to `other`, and prints each step."""

    def __init__(self, lab: Lab, moved: str, other: str) -> None:
        self._lab = lab
        self._moved = moved
        self._other = other
        self.steps: list[Step] = []
        self._zero_ns = 0

    def follow(self, since_ns: int) -> list[Step]:
        """Wait for each step; raise LabError if one does not come."""
        log, moved, other = self._lab.log, self._moved, self._other
        packet = self._lab.first_packet(moved, PATIENCE_S, since_ns=since_ns)
        self._zero_ns = packet.t_ns
        self._add(f"packet from {packet.data['address']} at the hub", packet.t_ns)
        seen = log.expect("hub", "endpoint changed", PATIENCE_S, since_ns=since_ns, router=moved)
        self._add(f"wgmqtt sees {moved} at {seen.data['endpoint']}", seen.t_ns)
        for name in (moved, other):
            published = log.expect("hub", "table published", PATIENCE_S, since_ns=packet.t_ns, router=name)
            self._add(f"table for {name} published", published.t_ns)
        received = log.expect(moved, "handler-start", PATIENCE_S, since_ns=packet.t_ns)
        self._add(f"{moved} receives its table, and has nothing to set", received.t_ns)
        applied = self._set(packet.t_ns)
        self._add(f"{other} sets the endpoint of {moved}", applied.t_ns)
        self._answer(packet.t_ns)
        proven_ns = self._lab.direct(moved, other, PATIENCE_S, since_ns=packet.t_ns)
        self._add("direct path proven: the receive counters of both ends grew", proven_ns)
        return self.steps

    def _set(self, since_ns: int) -> Event:
        return self._lab.log.expect(self._other, "set", PATIENCE_S, since_ns=since_ns)

    def _answer(self, since_ns: int) -> None:
        ends = (self._moved, self._other)

        def answered(event: Event) -> bool:
            return event.source in ends and event.kind == "ping" and event.data["ok"] is True

        event = self._lab.log.wait_for(answered, PATIENCE_S, since_ns=since_ns, what="an answer over the direct path")
        self._add(f"a ping of {event.source} is answered over the direct path", event.t_ns)

    def _add(self, what: str, t_ns: int) -> None:
        step = Step(what, (t_ns - self._zero_ns) / MS)
        self.steps.append(step)
        print(f"  {step.ms:9.1f} ms  {what}", flush=True)
