"""Measure the CPU time that an awaitable uses itself, whatever else runs meanwhile."""

import time
from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class CpuMeter(Generic[T]):
    """Awaits another awaitable and adds up the CPU time of its own steps, in seconds, in `cost_s`."""

    def __init__(self, inner: Awaitable[T]) -> None:
        self._inner = inner
        self.cost_s = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        """Return the result of the other awaitable; its errors and a cancellation pass through."""
        steps = self._inner.__await__()
        thrown: BaseException | None = None
        while True:
            began_s = time.thread_time()
            try:
                waited_for = next(steps) if thrown is None else steps.throw(thrown)
            except StopIteration as end:
                result: T = end.value
                return result
            finally:
                self.cost_s += time.thread_time() - began_s
            try:
                yield waited_for  # asyncio resumes with nothing, or throws
            except BaseException as error:  # noqa: BLE001 - the inner awaitable handles a cancellation, too
                thrown = error
            else:
                thrown = None
