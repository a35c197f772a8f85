"""Reports on their way from paho's thread to the event loop: one pending per router, and a budget for each.

A router can publish reports faster than they can be handled. Here its newest report replaces the pending one, and is
delivered when the router's CPU budget allows it, so that a flood costs a bounded share of the CPU and no memory. Merely
receiving messages costs time, too: `put` returns whether the router keeps to its rate, or its topic should be left.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable

from wgmqtt.engine.events import Reported
from wgmqtt.host.token_bucket import TokenBucket

CPU_SHARE = 0.02
"""The share of one CPU that a single router's reports may use in the long run."""
BURST_S = 0.1
"""The CPU time that a router's reports may use at once after a pause: some twenty of the largest."""
MESSAGES_PER_S = 10.0
"""More reports than a router sends: two for each table, of which it gets one in 0.3 s at most."""
BURST_MESSAGES = 100.0
FLOOD_PAUSE_S = 30.0
"""How long the topic of a router that sends too many is left; its newest report is retained meanwhile."""


class ReportInbox:
    """Keeps the newest report of each router until it may be delivered on the event loop's thread."""

    def __init__(
        self, deliver: Callable[[Reported], None], on_flood: Callable[[str], None], pause_s: float = FLOOD_PAUSE_S
    ) -> None:
        self.on_flood = on_flood
        self.pause_s = pause_s
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._lock = threading.Lock()
        self._newest: dict[str, Reported] = {}
        self._due: deque[str] = deque()
        self._is_scheduled = False
        self._cpu: dict[str, TokenBucket] = {}  # only used on the loop's thread
        self._messages: dict[str, TokenBucket] = {}  # only used in paho's thread

    def put(self, report: Reported) -> bool:
        """Keep a report in place of the router's pending one, if any; called in paho's thread.

        Return whether the router keeps to its rate of messages.
        """
        now_s = time.monotonic()
        rate = self._messages.get(report.router)
        if rate is None:
            rate = self._messages[report.router] = TokenBucket(MESSAGES_PER_S, BURST_MESSAGES, now_s)
        is_within_rate = rate.wait_s(now_s) == 0
        if is_within_rate:
            rate.charge(1.0)
        with self._lock:
            is_pending = report.router in self._newest
            self._newest[report.router] = report
            if not is_pending:  # otherwise its router is due or has a timer
                try:
                    self._make_due(report.router, self._loop.call_soon_threadsafe)
                except BaseException:  # no memory: the next connection must find an inbox that works
                    del self._newest[report.router]
                    raise
        return is_within_rate

    def _make_due(self, router: str, call_soon: Callable[[Callable[[], None]], object]) -> None:
        if not self._is_scheduled:
            call_soon(self._deliver_next)  # the lock is held: it runs when the router is due
            self._is_scheduled = True
        self._due.append(router)

    def _deliver_next(self) -> None:
        """Deliver one report, then let the loop handle other events before the next one."""
        with self._lock:
            router = self._due.popleft()
        now_s = time.monotonic()
        budget = self._cpu.setdefault(router, TokenBucket(CPU_SHARE, BURST_S, now_s))
        wait_s = budget.wait_s(now_s)
        if wait_s > 0:
            self._loop.call_later(wait_s, self._wait_is_over, router)
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

    def _wait_is_over(self, router: str) -> None:
        with self._lock:
            self._make_due(router, self._loop.call_soon)
