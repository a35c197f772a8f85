"""Hints on a real kernel: python3 -m tests.vm.hints [CASE...], as root in a virtual machine.

Prints `ok CASE` or `FAILED CASE` and the traceback for each; exit status 1 if one failed. wg1 sends to wg0 once a
second over the loopback, and moves to another port. Polls come once a minute, so what is seen sooner was caused by a
hint.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from lab.network.shell import run
from lab.vm.interfaces import delete, make_pair, public, wait_for_handshake
from tests.engine.world import make_config
from tests.vm.cases import run_cases
from wgmqtt.engine.events import Event, HintsActive, HintsUnavailable, InterfaceFailed, PeersPolled
from wgmqtt.model import Endpoint
from wgmqtt.watch.watcher import watch

WITHIN_S = 40.0  # usually a second, but a virtual machine is slow; the next poll would come later
CONFIG = replace(make_config(), poll_s=60.0, wireguard="kernel")
TABLE = "table inet wgmqtt_hub1_51820\n"
HOLD = """
import asyncio
from wgmqtt.watch.watcher import watch
from tests.vm.hints import CONFIG
asyncio.run(watch(CONFIG, lambda event: print(type(event).__name__, getattr(event, "reason", ""), flush=True)))
"""


class Seen:
    """The events of the watcher, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def post(self, event: Event) -> None:
        """Add one event."""
        self.events.append(event)
        self._news.set()

    async def until(self, predicate: Callable[[Event], bool]) -> Event:
        """Return the first event that fulfils `predicate`, and drop it and all before it."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                self._news.clear()
                for number, event in enumerate(self.events):
                    if predicate(event):
                        del self.events[: number + 1]
                        return event
                await self._news.wait()


@contextlib.asynccontextmanager
async def watching() -> AsyncIterator[Seen]:
    """Watch during the block, which starts when hints are active."""
    make_pair()
    wait_for_handshake(public("site"))
    seen = Seen()
    task = asyncio.create_task(watch(CONFIG, seen.post))
    try:
        await seen.until(lambda event: isinstance(event, HintsActive))
        yield seen
        assert not [event for event in seen.events if isinstance(event, HintsUnavailable | InterfaceFailed)], (
            seen.events
        )
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def move(seen: Seen, port: int) -> None:
    """Move the site to another port, and wait until that is seen."""
    run("wg", "set", "wg1", "listen-port", str(port))
    here = Endpoint("127.0.0.1", port)
    await seen.until(
        lambda event: (
            isinstance(event, PeersPolled) and any(one.endpoint == here and one.is_heard for one in event.changed)
        )
    )


async def moves_are_seen_long_before_the_poll() -> None:
    async with watching() as seen:
        for port in (40001, 40002, 40001, 40003):
            await move(seen, port)


async def table_is_there_while_wanted_and_survives_a_flush() -> None:
    async with watching() as seen:
        assert run("nft", "list", "tables") == TABLE
        run("nft", "flush", "ruleset")
        assert run("nft", "list", "tables") == TABLE
        await move(seen, 40001)
        known = ""
        for _ in range(400):  # the set follows the event
            known = run("nft", "list", "set", "inet", "wgmqtt_hub1_51820", "known4")
            if "127.0.0.1 . 40001" in known:
                break
            await asyncio.sleep(0.1)
        assert "127.0.0.1 . 40001" in known
    assert run("nft", "list", "tables") == ""


async def unit_with_its_one_capability_has_hints_and_a_kill_leaves_nothing() -> None:
    make_pair()
    wait_for_handshake(public("site"))
    only = ("--inh-caps", "-all,+net_admin", "--ambient-caps", "+net_admin", "--bounding-set", "-all,+net_admin")
    alone = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs", *only)
    process = await asyncio.create_subprocess_exec(*alone, sys.executable, "-c", HOLD, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(180):
        while (line := await process.stdout.readline()).split()[:1] != [b"HintsActive"]:
            assert line.startswith(b"PeersPolled"), line
        assert run("nft", "list", "tables") == TABLE
        run("wg", "set", "wg1", "listen-port", "40004")
        assert (await process.stdout.readline()).startswith(b"PeersPolled")
    process.kill()
    await process.wait()
    assert run("nft", "list", "tables") == ""


CASES: dict[str, Callable[[], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        moves_are_seen_long_before_the_poll,
        table_is_there_while_wanted_and_survives_a_flush,
        unit_with_its_one_capability_has_hints_and_a_kill_leaves_nothing,
    )
}


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1:], lambda: delete("wg0", "wg1")))
