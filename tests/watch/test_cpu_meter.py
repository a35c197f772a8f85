"""The CPU time of one awaitable, without what runs beside it."""

import asyncio
import time

import pytest

from wgmqtt.watch.cpu_meter import CpuMeter


def burn(seconds: float) -> None:
    """Use CPU time, not only wall-clock time."""
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


async def work() -> str:
    for _ in range(3):
        burn(0.01)
        await asyncio.sleep(0.02)
    return "done"


async def others() -> None:
    while True:
        burn(0.01)
        await asyncio.sleep(0)


def test_cost_leaves_out_what_runs_beside_it() -> None:
    async def scenario() -> None:
        beside = asyncio.create_task(others())
        metered = CpuMeter(work())
        assert await metered == "done"
        beside.cancel()
        assert 0.029 < metered.cost_s < 0.045

    asyncio.run(scenario())


def test_error_passes_through_and_the_time_until_then_counts() -> None:
    async def fail() -> None:
        burn(0.01)
        await asyncio.sleep(0)
        raise LookupError("as expected")

    async def scenario() -> None:
        metered = CpuMeter(fail())
        with pytest.raises(LookupError, match="as expected"):
            await metered
        assert metered.cost_s > 0.009

    asyncio.run(scenario())


def test_cancellation_and_timeout_reach_the_inner_awaitable() -> None:
    ended = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def scenario() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await CpuMeter(wait())
        task = asyncio.create_task(as_task())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def as_task() -> None:
        await CpuMeter(wait())

    asyncio.run(scenario())
    assert ended == [True, True]
