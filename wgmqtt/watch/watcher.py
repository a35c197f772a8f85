"""WireGuard's interfaces, looked at again and again. Edge: talks to WireGuard and to NFLOG through their edges."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from wgmqtt.engine.events import Event, InterfaceFailed, PacketsRejected, PeersPolled
from wgmqtt.errors import DecodeError, EdgeError, WgmqttError
from wgmqtt.model import Config, Endpoint
from wgmqtt.watch import schedule
from wgmqtt.watch.cpu_meter import Metered
from wgmqtt.watch.hints import Hints
from wgmqtt.watch.nflog import Hint
from wgmqtt.watch.nftables import Nftables, open_nftables
from wgmqtt.wireguard.auto import Wireguard, choose
from wgmqtt.wireguard.dump import Dump
from wgmqtt.wireguard.kernel_decode import Differences, Snapshot, differences
from wgmqtt.wireguard.liveness import signs_of_life

Post = Callable[[Event], None]
Awaited = Callable[[], frozenset[bytes]]
_MAX_HEARD = 256
_ANNOUNCED_S = 5.0  # how long a hint counts as having announced what is found later
_LOSSY_S = 1.0  # how long nothing is expected to be announced after hints were lost, or began to work


async def watch(
    config: Config, post: Post, opener: Callable[[], Nftables] = open_nftables, awaited: Awaited = frozenset
) -> None:
    """Watch every interface until cancelled; only what differs from its last dump becomes an event.

    `awaited` returns the keys of peers whose signs of life are wanted, too.
    """
    hints = Hints(config.hub.name, post, opener) if config.hints == "auto" else None
    async with asyncio.TaskGroup() as tasks:
        for interface in config.hub.interfaces:
            tasks.create_task(_Watcher(interface, config, (post, awaited), hints).run())
        if hints:
            tasks.create_task(hints.keep())


class _Watcher:
    """One interface. What a look finds goes to the engine first, then to the table of known endpoints."""

    def __init__(self, interface: str, config: Config, ears: tuple[Post, Awaited], hints: Hints | None) -> None:
        self._interface = interface
        self._kind = config.wireguard
        self._post, self._awaited = ears
        self._hints = hints
        self._limits = schedule.Limits(config.poll_s, config.cpu_percent / 100 / len(config.hub.interfaces))
        self._pace = schedule.start(time.monotonic())
        self._snapshot: Snapshot = {}
        self._has_looked = False
        self._failed = False
        self._learned_port = 0
        self._woken = asyncio.Event()
        self._heard: dict[Endpoint, float] = {}
        self._pending: set[Endpoint] = set()
        self._is_unnamed = False  # something was announced, but not where: the chase goes on to its end
        self._lossy_until_s = 0.0

    async def run(self) -> None:
        """Look, and wait until the next look."""
        if self._hints:
            self._hints.listen(self._interface, self._take_hint)
        with contextlib.closing(choose(self._kind)) as wireguard:
            while True:
                await self._look(wireguard)
                await self._wait()

    def _take_hint(self, hint: Hint | None) -> None:
        now_s = time.monotonic()
        if hint is None or len(self._heard) >= _MAX_HEARD:
            self._lossy_until_s = now_s + _LOSSY_S
            self._is_unnamed = True
        else:
            self._heard[hint.source] = now_s
            self._pending.add(hint.source)
        self._pace = schedule.hinted(self._pace, now_s)
        self._woken.set()

    async def _wait(self) -> None:
        """Return at the time of the next look, which a hint may bring nearer."""
        self._pace = schedule.with_hints(self._pace, has_hints=self._hints is not None and self._hints.works)
        while (pause_s := schedule.next_look_s(self._pace, self._limits) - time.monotonic()) > 0:
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()

    async def _look(self, wireguard: Wireguard) -> None:
        begun_s = time.monotonic()
        looking = Metered(self._compare(wireguard))
        try:
            before, dump, found = await looking
        except (EdgeError, DecodeError) as error:
            self._fail(error)
            self._settle(schedule.Look(begun_s, time.monotonic(), looking.cost_s), is_done=True)
            return
        look = schedule.Look(begun_s, time.monotonic(), looking.cost_s)
        moved = {
            one.endpoint
            for one in found.changed
            if one.key.raw not in before or before[one.key.raw].endpoint != dump.snapshot[one.key.raw].endpoint
        }
        self._pending.difference_update(one.endpoint for one in found.changed if one.endpoint)
        alive = signs_of_life(before, dump.snapshot, self._awaited())
        # The first look is news even if it shows nobody: the interface can be read.
        if found.changed or found.removed or alive or self._failed or not self._has_looked:
            self._post(PeersPolled(self._interface, found.changed, found.removed, alive))
        self._settle(look, is_done=dump.complete and not self._pending and not self._is_unnamed)
        if self._hints:
            self._learn(self._hints, dump, found)
            self._judge(self._hints, moved)
        self._failed = False
        self._has_looked = True

    async def _compare(self, wireguard: Wireguard) -> tuple[Snapshot, Dump, Differences]:
        """Return the dump before this one, this one, and what differs."""
        dump = await wireguard.dump(self._interface)
        before, self._snapshot = self._snapshot, dump.snapshot if dump.complete else self._snapshot | dump.snapshot
        return before, dump, differences(before, dump.snapshot, complete=dump.complete)

    def _fail(self, error: WgmqttError) -> None:
        self._failed = True
        if self._hints and self._learned_port:
            self._hints.forget(self._interface)
        self._learned_port = 0
        self._post(InterfaceFailed(self._interface, str(error)))

    def _settle(self, look: schedule.Look, *, is_done: bool) -> None:
        """Count the look, and end the chase or go on with it."""
        if not is_done and self._pace.hint_s is None:
            self._pace = schedule.hinted(self._pace, look.ended_s)  # a dump that was not complete
        self._pace = schedule.looked(self._pace, self._limits, look, is_done=is_done)
        if self._pace.hint_s is None:
            if self._pending:
                self._post(PacketsRejected(self._interface, tuple(self._pending)))
            self._pending.clear()
            self._is_unnamed = False

    def _learn(self, hints: Hints, dump: Dump, found: Differences) -> None:
        port = dump.device.listen_port
        if port != self._learned_port:
            hints.forget(self._interface)
            self._learned_port = port
            found = differences({}, self._snapshot, complete=True)
        if port and (found.changed or found.removed or not self._has_looked):
            hints.learn(self._interface, port, found)

    def _judge(self, hints: Hints, moved: set[Endpoint | None]) -> None:
        """Rely less on hints when a peer has moved that none announced."""
        now_s = time.monotonic()
        is_heard = all(endpoint is None or endpoint in self._heard for endpoint in moved)
        if not is_heard and self._has_looked and hints.works and now_s > self._lossy_until_s:
            self._pace = schedule.missed(self._pace, now_s)
            hints.doubt()
        for endpoint in [each for each, heard_s in self._heard.items() if heard_s < now_s - _ANNOUNCED_S]:
            del self._heard[endpoint]
