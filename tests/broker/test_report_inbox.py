"""A flood of reports from one router costs a bounded share of the CPU, and delays no other router's report."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from wgmqtt.broker.report_inbox import BURST_S, CPU_SHARE, CpuBudget, ReportInbox
from wgmqtt.engine.events import Reported

COST_S = 0.01  # CPU time that handling one report takes here


def burn(seconds: float) -> None:
    """Use CPU time of this thread."""
    begun_s = time.thread_time()
    while time.thread_time() - begun_s < seconds:
        pass


def deliver_for(seconds: float, feed: Callable[[ReportInbox, threading.Event], None]) -> list[tuple[float, Reported]]:
    """Return what an inbox delivers, and when; `feed` runs in a thread of its own until the event is set."""
    delivered: list[tuple[float, Reported]] = []

    def deliver(report: Reported) -> None:
        burn(COST_S)
        delivered.append((time.monotonic(), report))

    async def run() -> None:
        inbox, ended = ReportInbox(deliver), threading.Event()
        feeding = asyncio.create_task(asyncio.to_thread(feed, inbox, ended))
        await asyncio.sleep(seconds)
        ended.set()
        await feeding
        await asyncio.sleep(2 * COST_S / CPU_SHARE)  # what is pending becomes due

    asyncio.run(run())
    return delivered


def test_flood_of_one_router_is_bounded_and_its_newest_report_arrives() -> None:
    sent = list[bytes]()

    def flood(inbox: ReportInbox, ended: threading.Event) -> None:
        while not ended.wait(0.001):
            sent.append(str(len(sent)).encode())
            inbox.put(Reported(1, "berlin", sent[-1]))

    delivered = deliver_for(2.0, flood)
    most = (BURST_S + 4.0 * CPU_SHARE) / COST_S + 2
    assert len(sent) > 10 * most, "this was no flood"
    assert len(delivered) <= most
    assert delivered[-1][1].payload == sent[-1]


def test_report_of_another_router_is_not_delayed_by_a_flood() -> None:
    delays = list[float]()
    put_s: dict[bytes, float] = {}

    def feed(inbox: ReportInbox, ended: threading.Event) -> None:
        number = 0
        while not ended.wait(0.001):
            number += 1
            payload = str(number).encode()
            if number % 250 == 0:
                put_s[payload] = time.monotonic()
                inbox.put(Reported(1, "cologne", payload))
            inbox.put(Reported(1, "berlin", payload))

    for at_s, report in deliver_for(2.0, feed):
        if report.router == "cologne":
            delays.append(at_s - put_s[report.payload])
    assert len(delays) >= 3
    assert sorted(delays)[len(delays) // 2] < 0.1
    assert max(delays) < 1.0


def test_reports_of_many_routers_all_arrive_in_order() -> None:
    names = [f"r{number}" for number in range(50)]

    def feed(inbox: ReportInbox, _ended: threading.Event) -> None:
        for name in names:
            inbox.put(Reported(1, name, b"x"))

    assert [report.router for _, report in deliver_for(1.0, feed)] == names


@pytest.mark.parametrize(
    ("spent_s", "later_s", "expected_s"),
    [
        (BURST_S, 0.0, 0.0),
        (BURST_S + 0.02, 0.0, 0.02 / CPU_SHARE),
        (BURST_S + 0.02, 0.5, 0.02 / CPU_SHARE - 0.5),
        (BURST_S + 0.02, 1e6, 0.0),
    ],
    ids=["within the burst", "overdrawn", "refilling", "long ago"],
)
def test_overdrawn_budget_waits_until_it_has_refilled(spent_s: float, later_s: float, expected_s: float) -> None:
    budget = CpuBudget(100.0)
    budget.charge(spent_s)
    assert budget.wait_s(100.0 + later_s) == pytest.approx(expected_s)


def test_budget_does_not_fill_beyond_its_burst() -> None:
    budget = CpuBudget(0.0)
    assert budget.wait_s(1e6) == 0.0
    budget.charge(BURST_S + 0.02)
    assert budget.wait_s(1e6) == pytest.approx(0.02 / CPU_SHARE)
