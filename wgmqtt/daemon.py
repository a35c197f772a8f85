"""The daemon: one event loop, whose thread owns all state, between the engine and the outside."""

import asyncio
import secrets
import signal
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

from wgmqtt import phrases
from wgmqtt.config_process import read_config_apart
from wgmqtt.engine.effects import PublishTable
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import Event, FreezeChecked, Now, Reconfigured, Woken
from wgmqtt.errors import WgmqttError
from wgmqtt.host import journal, systemd
from wgmqtt.host.freeze import FreezeFile
from wgmqtt.host.malloc import bound_kept_memory
from wgmqtt.logline import Say, say
from wgmqtt.model import Config
from wgmqtt.perform import Performer
from wgmqtt.script.render import script_id
from wgmqtt.script.templates import read_templates
from wgmqtt.watch.watcher import Trackers, watch

FREEZE_POLL_S = 0.5
LOG_DELAY_S = 0.02
RELOAD_PAUSE_S = 0.1  # after the last of several requests
RELOAD_WITHIN_S = 5.0


def run(config: Config, path: Path, *, is_dry: bool) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reloads the configuration from `path`."""
    bound_kept_memory()
    asyncio.run(_Daemon(config, path, is_dry=is_dry).run())


class _Daemon:
    def __init__(self, config: Config, path: Path, *, is_dry: bool) -> None:
        self._config = config
        self._path = path
        self._is_dry = is_dry
        self._instance = secrets.token_hex(4)
        self._engine = Engine(config, self._instance, script=script_id(read_templates().handler), is_dry=is_dry)
        self._freeze_file = FreezeFile(path)
        self._stopped = asyncio.Event()
        self._lines: deque[tuple[Say, float]] = deque()
        self._log_timer: asyncio.TimerHandle | None = None
        self._reload_requested = asyncio.Event()
        self._failure: Exception | None = None
        self._watching: asyncio.Task[None] | None = None
        self._trackers: Trackers = {}
        self._watch_lock = asyncio.Lock()  # two watchers would share one nftables table

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._fail)
        self._performer = Performer(self._config, self._instance, self.post, is_dry=self._is_dry)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_requested.set)
        journal.write(say(phrases.STARTED, hub=self._config.hub.name, routers=len(self._config.routers)))
        self._check_freezing()
        self.post(Woken())
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._restart_watch()
                endless = (_feed_watchdog(), self._watch_freezing(), self._serve_reloads())
                others = [tasks.create_task(each) for each in endless]
                systemd.notify("READY=1")
                await self._stopped.wait()
                if self._failure is not None:
                    raise self._failure
                for task in (*others, self._watching):
                    if task is not None:
                        task.cancel()
        finally:
            systemd.notify("STOPPING=1")
            self._flush_log()
            await self._performer.stop(is_serving=self._engine.is_active)
            journal.write(say(phrases.STOPPED))

    def post(self, event: Event) -> None:
        """Let the engine handle an event and carry out the effects."""
        effects = self._engine.handle(event, Now(time.monotonic(), time.time()))
        for effect in effects:
            if not isinstance(effect, Say):
                self._performer.do(effect)
        now_s = time.time()
        self._lines.extend((effect, now_s) for effect in effects if isinstance(effect, Say))
        if not self._lines or self._log_timer is not None:
            return
        if any(isinstance(effect, PublishTable) for effect in effects):
            # paho's thread sends the table only while this thread is idle, so logging first would delay it.
            self._log_timer = asyncio.get_running_loop().call_later(LOG_DELAY_S, self._flush_log)
        else:
            self._flush_log()

    def _flush_log(self) -> None:
        self._log_timer = None
        while self._lines:
            self._performer.log(*self._lines.popleft())

    def _fail(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the daemon on an error in a callback. asyncio would only log it, and a timer might never be set again."""
        self._failure = self._failure or context.get("exception") or RuntimeError(context["message"])
        self._stopped.set()

    async def _serve_reloads(self) -> None:
        """Reload one after the other; requests that come during a reload are one more reload after it."""
        while True:
            await self._reload_requested.wait()
            systemd.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            await self._reload(time.monotonic() + RELOAD_WITHIN_S)
            systemd.notify("READY=1")

    async def _reload(self, deadline_s: float) -> None:
        """Read the configuration and apply it, once requests have stopped or the deadline has passed."""
        while self._reload_requested.is_set():
            self._reload_requested.clear()
            await asyncio.sleep(RELOAD_PAUSE_S)
            if self._reload_requested.is_set() and time.monotonic() < deadline_s:
                continue
            try:
                config = await read_config_apart(self._path)
            except WgmqttError as error:
                if not self._reload_requested.is_set():
                    first = replace(error.problems[0], excerpt="")
                    journal.write(say(phrases.CONFIG_REJECTED, problems=len(error.problems), reason=first))
                continue
            if self._reload_requested.is_set() and time.monotonic() < deadline_s:
                continue
            journal.write(say(phrases.CONFIG_RELOADED, routers=len(config.routers), links=len(config.links)))
            self._config = self._performer.config = config
            self.post(Reconfigured(config))
            self._restart_watch()

    def _restart_watch(self) -> None:
        """Start watching again; the first poll names every peer, because others may be configured than before."""
        if self._watching is not None:
            self._watching.cancel()
        self._watching = self._tasks.create_task(self._watch())

    async def _watch(self) -> None:
        async with self._watch_lock:
            await watch(self._config, self.post, awaited=self._engine.awaited_keys, trackers=self._trackers)

    async def _watch_freezing(self) -> None:
        while True:
            await asyncio.sleep(FREEZE_POLL_S)
            self._check_freezing()

    def _check_freezing(self) -> None:
        if self._freeze_file.poll():
            frozen = str(self._freeze_file.is_frozen).lower()
            line = say(phrases.FREEZE_UNREADABLE, reason=self._freeze_file.problem, frozen=frozen)
            self._performer.log(line, time.time())
        self.post(FreezeChecked(self._freeze_file.is_frozen))


async def _feed_watchdog() -> None:
    pause_s = systemd.watchdog_s()
    while pause_s is not None:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(pause_s)
