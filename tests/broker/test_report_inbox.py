"""A flood of reports from one router costs a bounded share of the CPU, and delays no other router's report."""

import asyncio
import time
from collections.abc import Callable

import pytest

from wgmqtt.broker.report_inbox import BURST_MESSAGES, BURST_S, CPU_SHARE, ReportInbox
from wgmqtt.engine.events import Reported

COST_S = 0.01  # CPU time that handling one report takes here
PATIENCE_S = 60.0


def burn(seconds: float) -> None:
    """Use CPU time of this thread."""
    begun_s = time.thread_time()
    while time.thread_time() - begun_s < seconds:
        pass


Delivery = tuple[float, Reported]


def deliver(feed: Callable[[ReportInbox], None], until: Callable[[list[Delivery]], bool]) -> list[Delivery]:
    """Return what an inbox delivers, and when; `feed` runs in a thread of its own, and `until` ends the waiting."""
    delivered: list[Delivery] = []

    async def run() -> None:
        done = asyncio.Event()

        def handle(report: Reported) -> None:
            burn(COST_S)
            delivered.append((time.monotonic(), report))
            if until(delivered):
                done.set()

        feeding = asyncio.create_task(asyncio.to_thread(feed, ReportInbox(handle, print)))
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()
            await feeding

    asyncio.run(run())
    return delivered


def test_flood_of_one_router_is_bounded_and_its_newest_report_arrives() -> None:
    sent = [str(number).encode() for number in range(1000)]

    def flood(inbox: ReportInbox) -> None:
        for payload in sent:
            inbox.put(Reported(1, "berlin", payload))
            time.sleep(0.001)

    begun_s = time.monotonic()
    delivered = deliver(flood, lambda found: bool(found) and found[-1][1].payload == sent[-1])
    most = (BURST_S + (time.monotonic() - begun_s) * CPU_SHARE) / COST_S + 2
    assert len(delivered) <= most
    assert len(delivered) < len(sent) / 4


def test_report_of_another_router_is_not_delayed_by_a_flood() -> None:
    put_s: dict[bytes, float] = {}

    def feed(inbox: ReportInbox) -> None:
        for number in range(1, 1001):
            payload = str(number).encode()
            if number % 200 == 0:
                put_s[payload] = time.monotonic()
                inbox.put(Reported(1, "cologne", payload))
            inbox.put(Reported(1, "berlin", payload))
            time.sleep(0.001)

    delivered = deliver(feed, lambda found: any(report == Reported(1, "cologne", b"1000") for _, report in found))
    delays = [at_s - put_s[report.payload] for at_s, report in delivered if report.router == "cologne"]
    assert len(delays) >= 3
    assert sorted(delays)[len(delays) // 2] < 0.1
    assert max(delays) < 1.0


def test_reports_of_many_routers_all_arrive_in_order() -> None:
    names = [f"r{number}" for number in range(50)]

    def feed(inbox: ReportInbox) -> None:
        for name in names:
            inbox.put(Reported(1, name, b"x"))

    delivered = deliver(feed, lambda found: len(found) >= len(names))
    assert [report.router for _, report in delivered] == names


def test_router_that_sends_faster_than_any_script_is_reported_and_another_is_not() -> None:
    async def run() -> tuple[int, bool]:
        inbox = ReportInbox(lambda _: None, print)
        accepted = 0
        while inbox.put(Reported(1, "berlin", b"x")):
            accepted += 1
        return accepted, inbox.put(Reported(1, "cologne", b"x"))

    accepted, other = asyncio.run(run())
    assert BURST_MESSAGES <= accepted < 2 * BURST_MESSAGES
    assert other


class _OutOfMemoryOnce(asyncio.SelectorEventLoop):
    """An event loop whose first call from another thread finds no memory."""

    has_failed = False

    def call_soon_threadsafe(  # type: ignore[override]  # it is called with a function alone
        self, callback: Callable[[], object]
    ) -> asyncio.Handle:
        if not self.has_failed:
            self.has_failed = True
            raise MemoryError
        return super().call_soon_threadsafe(callback)


def test_inbox_that_had_no_memory_once_delivers_later_reports() -> None:
    delivered: list[bytes] = []

    async def run() -> None:
        done = asyncio.Event()

        def handle(report: Reported) -> None:
            delivered.append(report.payload)
            done.set()

        inbox = ReportInbox(handle, print)
        with pytest.raises(MemoryError):
            inbox.put(Reported(1, "berlin", b"lost"))
        inbox.put(Reported(2, "berlin", b"found"))
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()

    with asyncio.Runner(loop_factory=_OutOfMemoryOnce) as runner:
        runner.run(run())
    assert delivered == [b"found"]
