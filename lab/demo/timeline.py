"""The steps of one move, each with its milliseconds since the hub could know: printed as they happen. Edge: prints."""

from dataclasses import dataclass

from lab.testbed.events import Event
from lab.testbed.lab import Lab

STEP_S = 20.0
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what happened, and how many milliseconds after the first packet from the new address."""

    what: str
    ms: float


class Timeline:
    """Follows one switch of `moved`, whose far end is `other`, and prints each step when it is known."""

    def __init__(self, lab: Lab, moved: str, other: str) -> None:
        self._lab = lab
        self._moved = moved
        self._other = other
        self.steps: list[Step] = []
        self._zero_ns = 0

    def follow(self, since_ns: int) -> list[Step]:
        """Wait for every step in turn; raises LabError if one does not come."""
        log, moved, other = self._lab.log, self._moved, self._other
        packet = self._lab.hub_hears(moved, STEP_S, since_ns=since_ns)
        self._zero_ns = packet.t_ns
        self._add(f"packet from {packet.data['address']} at the hub", packet.t_ns)
        seen = log.expect("hub", "endpoint changed", STEP_S, since_ns=since_ns, router=moved)
        self._add(f"wgmqtt sees {moved} at {seen.data['endpoint']}", seen.t_ns)
        for name in (moved, other):
            published = log.expect("hub", "table published", STEP_S, since_ns=packet.t_ns, router=name)
            self._add(f"table for {name} published", published.t_ns)
        told = log.expect(moved, "handler-start", STEP_S, since_ns=packet.t_ns)
        self._add(f"{moved} is told, and has nothing to set", told.t_ns)
        applied = self._set(packet.t_ns)
        self._add(f"{other} sets the endpoint of {moved}", applied.t_ns)
        self._answer(packet.t_ns)
        proven_ns = self._lab.direct(moved, other, STEP_S, since_ns=packet.t_ns)
        self._add("direct path proven: both ends' rx counters grew", proven_ns)
        return self.steps

    def _set(self, since_ns: int) -> Event:
        return self._lab.log.expect(self._other, "set", STEP_S, since_ns=since_ns)

    def _answer(self, since_ns: int) -> None:
        ends = (self._moved, self._other)

        def answered(event: Event) -> bool:
            return event.source in ends and event.kind == "ping" and event.data["ok"] is True

        event = self._lab.log.wait_for(answered, STEP_S, since_ns=since_ns, what="an answer over the direct path")
        self._add(f"direct path answers {event.source}", event.t_ns)

    def _add(self, what: str, t_ns: int) -> None:
        step = Step(what, (t_ns - self._zero_ns) / MS)
        self.steps.append(step)
        print(f"  {step.ms:9.1f} ms  {what}", flush=True)
