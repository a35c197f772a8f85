"""Poll WireGuard's interfaces and post what changed."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from wgmqtt.engine.events import Event, InterfaceFailed, PacketsRejected, PeersPolled
from wgmqtt.errors import DecodeError, EdgeError, WgmqttError
from wgmqtt.model import Config, Endpoint
from wgmqtt.watch import schedule
from wgmqtt.watch.cpu_meter import CpuMeter
from wgmqtt.watch.hints import Hints
from wgmqtt.watch.link_events import follow_links
from wgmqtt.watch.nflog import Hint
from wgmqtt.watch.nftables import Nftables, open_nftables
from wgmqtt.watch.peer_tracker import Changes, PeerTracker
from wgmqtt.wireguard.auto import Wireguard, choose
from wgmqtt.wireguard.dump import Dump
from wgmqtt.wireguard.snapshot import differences, grown

Post = Callable[[Event], None]
AwaitedKeys = Callable[[], frozenset[bytes]]
Trackers = dict[str, PeerTracker]
_MAX_HINTED = 256
_ANNOUNCED_S = 5.0  # how long a hint counts as having announced what is found later
_LOSSY_S = 1.0  # how long a move without a hint is no surprise after hints were lost or an interface changed


async def watch(
    config: Config,
    post: Post,
    opener: Callable[[], Nftables] = open_nftables,
    awaited: AwaitedKeys = frozenset,
    trackers: Trackers | None = None,
) -> None:
    """Poll every interface until cancelled; only what changed since its last dump becomes an event.

    `awaited` returns the keys of the peers whose growing receive counters are wanted, too. `trackers` hold what is
    known of each interface by name, so that a later call with them still knows who was heard; its first event per
    interface names every peer.
    """
    hints = Hints(config.hub.name, post, opener) if config.hints == "auto" else None
    kept = {} if trackers is None else trackers
    for name in kept.keys() - set(config.hub.interfaces):
        del kept[name]
    watchers = {
        name: _Watcher(kept.setdefault(name, PeerTracker(name)), config, hints, post, awaited)
        for name in config.hub.interfaces
    }

    def link_changed(name: str | None) -> None:
        for each in watchers.values() if name is None else filter(None, (watchers.get(name),)):
            each.poll_soon()

    async with asyncio.TaskGroup() as tasks:
        for watcher in watchers.values():
            tasks.create_task(watcher.run())
        tasks.create_task(follow_links(link_changed))
        if hints:
            tasks.create_task(hints.keep())


class _Watcher:
    """One interface. What a poll finds goes to the engine first, then to the table of known endpoints."""

    def __init__(
        self, tracker: PeerTracker, config: Config, hints: Hints | None, post: Post, awaited: AwaitedKeys
    ) -> None:
        self._interface = tracker.interface
        self._tracker = tracker
        self._tracker.repeat()
        self._kind = config.wireguard
        self._hints = hints
        self._post = post
        self._awaited = awaited
        self._limits = schedule.Limits(config.poll_s, config.cpu_percent / 100 / len(config.hub.interfaces))
        self._schedule = schedule.start(time.monotonic())
        self._has_polled = False
        self._failed = False
        self._learned_port = 0
        self._has_reported_port = False
        self._wake = asyncio.Event()
        self._hinted: dict[Endpoint, float] = {}
        """Sources of recent hints, and when the last one came (monotonic seconds)."""
        self._pending: set[Endpoint] = set()
        """Sources of hints at which no poll has shown a peer that was heard yet."""
        self._is_open_ended = False
        """Something happened, but it is not known to whom: the burst goes on to its last step."""
        self._lossy_until_s = 0.0

    async def run(self) -> None:
        """Poll, and wait until the next poll is due."""
        if self._hints:
            self._hints.listen(self._interface, self._take_hint)
        with contextlib.closing(choose(self._kind)) as wireguard:
            while True:
                await self._poll(wireguard)
                await self._wait()

    def poll_soon(self) -> None:
        """Begin a burst of polls: the interface appeared, changed or disappeared, perhaps with all of its peers."""
        self._expect_anything(time.monotonic())

    def _take_hint(self, hint: Hint | None) -> None:
        now_s = time.monotonic()
        if hint is None or len(self._hinted) >= _MAX_HINTED:
            self._expect_anything(now_s)
            return
        self._hinted[hint.source] = now_s
        self._pending.add(hint.source)
        self._begin_burst(now_s)

    def _expect_anything(self, now_s: float) -> None:
        self._lossy_until_s = now_s + _LOSSY_S
        self._is_open_ended = True
        self._begin_burst(now_s)

    def _begin_burst(self, now_s: float) -> None:
        self._schedule = schedule.after_hint(self._schedule, now_s)
        self._wake.set()

    async def _wait(self) -> None:
        """Return when the next poll is due, which a hint may bring forward."""
        has_hints = self._hints is not None and self._hints.works
        self._schedule = schedule.with_hints(self._schedule, has_hints=has_hints)
        while (pause_s := schedule.next_poll_s(self._schedule, self._limits) - time.monotonic()) > 0:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def _poll(self, wireguard: Wireguard) -> None:
        began_s = time.monotonic()
        metered = CpuMeter(self._compare(wireguard))
        try:
            dump, changes = await metered
        except (EdgeError, DecodeError) as error:
            self._fail(error)
            poll = schedule.Poll(began_s, time.monotonic(), metered.cost_s)
            self._count(poll, is_done=not self._is_open_ended)
            return
        poll = schedule.Poll(began_s, time.monotonic(), metered.cost_s)
        changed, removed = changes.differences.changed, changes.differences.removed
        confirmed = self._tracker.confirmed(changes.differences).changed
        self._pending.difference_update(peer.endpoint for peer in confirmed if peer.endpoint)
        alive = grown(changes.before, dump.snapshot, self._awaited())
        # The first poll is news even if it shows no peer: the interface can be read.
        if changed or removed or alive or self._failed or not self._has_polled:
            self._post(PeersPolled(self._interface, changed, removed, alive))
        is_waiting = bool(self._pending) or self._tracker.is_expecting or self._is_open_ended
        self._count(poll, is_done=dump.complete and not is_waiting)
        if self._hints:
            self._learn(self._hints, dump.device.listen_port, changes)
            self._judge(self._hints, {peer.endpoint for peer in changes.moved if peer.is_heard})
        self._failed = False
        self._has_polled = True

    async def _compare(self, wireguard: Wireguard) -> tuple[Dump, Changes]:
        """Return a new dump, and what it changes."""
        dump = await wireguard.dump(self._interface)
        return dump, self._tracker.update(dump, time.time())

    def _fail(self, error: WgmqttError) -> None:
        self._failed = True
        if self._hints and self._learned_port:
            self._hints.forget(self._interface)
        self._learned_port = 0
        self._post(InterfaceFailed(self._interface, str(error)))

    def _count(self, poll: schedule.Poll, *, is_done: bool) -> None:
        """Count a poll's cost, and end the burst or go on with it."""
        if not is_done and self._schedule.hint_s is None:
            self._schedule = schedule.after_hint(self._schedule, poll.ended_s)  # the dump was incomplete
        self._schedule = schedule.after_poll(self._schedule, self._limits, poll, is_done=is_done)
        if self._schedule.hint_s is None:
            # A packet that made WireGuard set an endpoint was not rejected, even if no session came of it.
            if rejected := self._pending - self._tracker.stop_expecting():
                self._post(PacketsRejected(self._interface, tuple(rejected)))
            self._pending.clear()
            self._is_open_ended = False

    def _learn(self, hints: Hints, port: int, changes: Changes) -> None:
        """Make the confirmed endpoints known. A packet from another one is worth a hint, even if WireGuard has it."""
        found = changes.differences
        if has_new_port := port != self._learned_port:
            hints.forget(self._interface)
            self._learned_port = port
            found = differences({}, self._tracker.snapshot, complete=True, now_s=time.time())
        found = self._tracker.confirmed(found)
        if port and (has_new_port or found.changed or found.removed):
            hints.learn(self._interface, port, found)
        is_settled = self._has_polled and self._schedule.hint_s is None  # wg-quick sets the port after the link
        if not port and is_settled and not self._has_reported_port:
            self._has_reported_port = True
            hints.lack_port(self._interface)

    def _judge(self, hints: Hints, moved: set[Endpoint | None]) -> None:
        """Rely less on hints if a peer has moved without one."""
        now_s = time.monotonic()
        is_announced = all(endpoint is None or endpoint in self._hinted for endpoint in moved)
        if not is_announced and self._has_polled and hints.works and now_s > self._lossy_until_s:
            self._schedule = schedule.after_missed_hint(self._schedule, now_s)
            hints.check_table()
        for endpoint in [each for each, hinted_s in self._hinted.items() if hinted_s < now_s - _ANNOUNCED_S]:
            del self._hinted[endpoint]
