"""A clock that stands still while anything works: time passes when all sleep. Pure, but for its threads.

Tasks take turns, one at a time, in the order of their wake-up times; so two handlers that run at once do so alike in
every run, and waiting costs nothing.
"""

import heapq
from collections.abc import Callable
from itertools import count
from threading import Semaphore, Thread

_SECOND_NS = 1_000_000_000
BEGAN_NS = 1_800_000_000 * _SECOND_NS  # in 2027


class _Task:
    """One thread, which runs only while it holds the turn."""

    def __init__(self) -> None:
        self.turn = Semaphore(0)
        self.failure: BaseException | None = None
        self.is_over = False


class ModelClock:
    """The clock of one model router. Only one thread of the caller's may use it."""

    def __init__(self, began_ns: int = BEGAN_NS) -> None:
        self._now_ns = self._began_ns = began_ns
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._task: _Task | None = None
        self._back = Semaphore(0)

    def now_ns(self) -> int:
        """Return Unix time."""
        return self._now_ns

    def now_ms(self) -> float:
        """Return the milliseconds since the clock was made."""
        return (self._now_ns - self._began_ns) / 1e6

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let `act` happen so much later; it must not sleep."""
        when_ns = self._now_ns + round(seconds * _SECOND_NS)
        heapq.heappush(self._due, (when_ns, next(self._numbers), act))

    def start(self, work: Callable[[], None], name: str) -> None:
        """Run `work` as a task as soon as whoever has the turn gives it up."""
        task = _Task()

        def body() -> None:
            task.turn.acquire()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
                task.failure = error
            task.is_over = True
            self._back.release()

        Thread(target=body, name=name, daemon=True).start()
        self.after(0, lambda: self._give_turn(task))

    def sleep(self, seconds: float) -> None:
        """Wait; others have their turn meanwhile."""
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
        """Run until nothing is due any more, at most so long.

        Raises:
            BaseException: whatever a task raised.
        """
        given_up_ns = self._now_ns + round(limit_s * _SECOND_NS)
        while self._due and self._due[0][0] <= given_up_ns:
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
