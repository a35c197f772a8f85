"""What an awaitable costs in CPU time of its own, whatever else runs meanwhile. Edge: reads this thread's CPU clock."""

import time
from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Metered(Generic[T]):
    """Awaits another awaitable, and counts only the steps that are its own: `cost_s`, CPU time in seconds."""

    def __init__(self, inner: Awaitable[T]) -> None:
        self._inner = inner
        self.cost_s = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        """Return what the other one returns; its errors, and a cancellation, pass through."""
        steps = self._inner.__await__()
        thrown: BaseException | None = None
        while True:
            begun_s = time.thread_time()
            try:
                waited_for = next(steps) if thrown is None else steps.throw(thrown)
            except StopIteration as end:
                found: T = end.value
                return found
            finally:
                self.cost_s += time.thread_time() - begun_s
            try:
                yield waited_for  # asyncio answers a future with nothing, or throws
            except BaseException as error:  # noqa: BLE001 - a cancellation, too, is for the inner one to take
                thrown = error
            else:
                thrown = None
