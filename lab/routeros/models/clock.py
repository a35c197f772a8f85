"""A simulated clock: time advances only when every task sleeps.

Tasks take turns, one at a time, in the order of their wake-up times. So handlers that run at the same time interleave
in the same way in every run, and waiting takes no real time.
"""

import heapq
from collections.abc import Callable
from itertools import count
from threading import Semaphore, Thread

_SECOND_NS = 1_000_000_000
START_NS = 1_800_000_000 * _SECOND_NS  # in 2027


class _Task:
    """One thread, which runs only when it is its turn."""

    def __init__(self) -> None:
        self.turn = Semaphore(0)
        self.failure: BaseException | None = None
        self.is_finished = False


class ModelClock:
    """The clock of one model router. Only one thread of the caller may use it."""

    def __init__(self, start_ns: int = START_NS) -> None:
        self._now_ns = self._start_ns = start_ns
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._task: _Task | None = None
        self._back = Semaphore(0)

    def now_ns(self) -> int:
        """Return Unix time."""
        return self._now_ns

    def now_ms(self) -> float:
        """Return the milliseconds since the clock was created."""
        return (self._now_ns - self._start_ns) / 1e6

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Call `act` after this many seconds; it must not sleep."""
        when_ns = self._now_ns + round(seconds * _SECOND_NS)
        heapq.heappush(self._due, (when_ns, next(self._numbers), act))

    def start(self, work: Callable[[], None], name: str) -> None:
        """Run `work` as a task as soon as the current task ends or sleeps."""
        task = _Task()

        def body() -> None:
            task.turn.acquire()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
                task.failure = error
            task.is_finished = True
            self._back.release()

        Thread(target=body, name=name, daemon=True).start()
        self.after(0, lambda: self._give_turn(task))

    def sleep(self, seconds: float) -> None:
        """Wait; other tasks run meanwhile."""
        until_ns = self._now_ns + round(seconds * _SECOND_NS)
        task = self._task
        if not self._due or self._due[0][0] > until_ns:
            self._now_ns = until_ns
        elif task is None:
            self._run_until(until_ns)
        else:
            self.after(seconds, lambda: self._give_turn(task))
            self._back.release()
            task.turn.acquire()

    def settle(self, limit_s: float) -> None:
        """Run until nothing is due, at most for this long.

        Raises:
            BaseException: the exception that a task raised.
        """
        deadline_ns = self._now_ns + round(limit_s * _SECOND_NS)
        while self._due and self._due[0][0] <= deadline_ns:
            self._next()

    def _run_until(self, until_ns: int) -> None:
        while self._due and self._due[0][0] <= until_ns:
            self._next()
        self._now_ns = until_ns

    def _next(self) -> None:
        when_ns, _, act = heapq.heappop(self._due)
        self._now_ns = max(self._now_ns, when_ns)
        act()

    def _give_turn(self, task: _Task) -> None:
        self._task = task
        task.turn.release()
        self._back.acquire()
        self._task = None
        if task.failure is not None:
            raise task.failure
