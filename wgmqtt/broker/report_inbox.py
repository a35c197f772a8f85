"""Reports on their way from paho's thread to the event loop: one pending per router, and a CPU budget for each.

A router can publish reports faster than they can be handled. Here its newest report replaces the pending one, and is
delivered when the router's budget allows it, so that a flood costs a bounded share of the CPU and no memory.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from wgmqtt.engine.events import Reported

CPU_SHARE = 0.02
"""The share of one CPU that a single router's reports may use in the long run."""
BURST_S = 0.1
"""The CPU time that a router's reports may use at once after a pause: some twenty of the largest."""


@dataclass(slots=True)
class CpuBudget:
    """A token bucket of CPU seconds: it fills at `CPU_SHARE` up to `BURST_S`, and a single charge may overdraw it."""

    now_s: float
    left_s: float = BURST_S

    def wait_s(self, now_s: float) -> float:
        """Return how long nothing may be spent from `now_s` on; 0 if it may be now."""
        self.left_s = min(BURST_S, self.left_s + (now_s - self.now_s) * CPU_SHARE)
        self.now_s = now_s
        return max(0.0, -self.left_s / CPU_SHARE)

    def charge(self, spent_s: float) -> None:
        """Take what was spent."""
        self.left_s -= spent_s


class ReportInbox:
    """Keeps the newest report of each router until it may be delivered on the event loop's thread."""

    def __init__(self, deliver: Callable[[Reported], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._lock = threading.Lock()
        self._newest: dict[str, Reported] = {}
        self._due: deque[str] = deque()
        self._is_scheduled = False
        self._budgets: dict[str, CpuBudget] = {}  # only used on the loop's thread

    def put(self, report: Reported) -> None:
        """Keep a report in place of the router's pending one, if any; called in paho's thread."""
        with self._lock:
            is_pending = report.router in self._newest
            self._newest[report.router] = report
            if is_pending:
                return  # its router is due or has a timer
            self._due.append(report.router)
            is_scheduled, self._is_scheduled = self._is_scheduled, True
        if not is_scheduled:
            self._loop.call_soon_threadsafe(self._deliver_next)

    def _deliver_next(self) -> None:
        """Deliver one report, then let the loop handle other events before the next one."""
        router = self._due.popleft()
        budget = self._budgets.setdefault(router, CpuBudget(time.monotonic()))
        wait_s = budget.wait_s(time.monotonic())
        if wait_s > 0:
            self._loop.call_later(wait_s, self._make_due, router)
        else:
            with self._lock:
                report = self._newest.pop(router)
            begun_s = time.thread_time()
            self._deliver(report)
            budget.charge(time.thread_time() - begun_s)
        with self._lock:
            self._is_scheduled = bool(self._due)
        if self._is_scheduled:
            self._loop.call_soon(self._deliver_next)

    def _make_due(self, router: str) -> None:
        with self._lock:
            self._due.append(router)
            is_scheduled, self._is_scheduled = self._is_scheduled, True
        if not is_scheduled:
            self._loop.call_soon(self._deliver_next)
