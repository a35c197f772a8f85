"""The event loop: one thread owns all state. Edge: the only place where the edges meet the engine."""

import asyncio
import secrets
import signal
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

from wgmqtt import phrases
from wgmqtt.config.files import read_config, read_secret
from wgmqtt.engine import stale_sessions, step
from wgmqtt.engine.effects import PublishTable
from wgmqtt.engine.events import Event, Freezing, Now, Reconfigured, Woken
from wgmqtt.errors import WgmqttError
from wgmqtt.host import journal, systemd
from wgmqtt.host.freeze import is_frozen
from wgmqtt.host.malloc import bound_kept_memory
from wgmqtt.logline import Say, say
from wgmqtt.model import Config
from wgmqtt.perform import Performer
from wgmqtt.script.render import script_id
from wgmqtt.script.templates import read_templates
from wgmqtt.watch.watcher import watch

FREEZE_POLL_S = 0.5
REST_S = 0.02


def run(config: Config, path: Path, *, is_dry: bool) -> None:
    """Run until SIGTERM or SIGINT. `path` is read again at SIGHUP."""
    bound_kept_memory()
    asyncio.run(_Daemon(config, path, is_dry=is_dry).run())


class _Daemon:
    def __init__(self, config: Config, path: Path, *, is_dry: bool) -> None:
        self._config = config
        self._path = path
        self._is_dry = is_dry
        self._instance = secrets.token_hex(4)
        self._state = step.start(config, self._instance, script=script_id(read_templates().handler), is_dry=is_dry)
        self._stopped = asyncio.Event()
        self._said: deque[tuple[Say, float]] = deque()
        self._saying: asyncio.TimerHandle | None = None
        self._failure: Exception | None = None
        self._watching: asyncio.Task[None] | None = None
        self._one_watches = asyncio.Lock()  # its table in nftables has one name, and goes with its socket

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._fail)
        self._performer = Performer(self._config, self._instance, self.post, is_dry=self._is_dry)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        journal.write(say(phrases.STARTED, hub=self._config.hub.name, routers=len(self._config.routers)))
        self.post(Freezing(is_frozen(self._path)))
        self.post(Woken())
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._watch_anew()
                others = [tasks.create_task(_feed_watchdog()), tasks.create_task(self._watch_freezing())]
                systemd.notify("READY=1")
                await self._stopped.wait()
                if self._failure is not None:
                    raise self._failure
                for task in (*others, self._watching):
                    if task is not None:
                        task.cancel()
        finally:
            systemd.notify("STOPPING=1")
            self._say()
            await self._performer.stop(is_serving=self._state.session.phase == "ready")
            journal.write(say(phrases.STOPPED))

    def post(self, event: Event) -> None:
        """Take one step, and carry out what comes of it."""
        self._state, effects = step.step(self._state, event, Now(time.monotonic(), time.time()))
        for effect in effects:
            if not isinstance(effect, Say):
                self._performer.do(effect)
        said_s = time.time()
        self._said.extend((effect, said_s) for effect in effects if isinstance(effect, Say))
        if not self._said or self._saying is not None:
            return
        if any(isinstance(effect, PublishTable) for effect in effects):
            # paho's thread sends it when this one rests. Lines of the log, written at once, would hold the table up.
            self._saying = asyncio.get_running_loop().call_later(REST_S, self._say)
        else:
            self._say()

    def _say(self) -> None:
        """Write what was said."""
        self._saying = None
        while self._said:
            self._performer.say(*self._said.popleft())

    def _fail(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End on an error in a callback, which asyncio would only write down: no wake-up might ever come again."""
        self._failure = self._failure or context.get("exception") or RuntimeError(context["message"])
        self._stopped.set()

    def _reload(self) -> None:
        if self._stopped.is_set():
            return
        systemd.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            config = read_config(self._path)
            read_secret(config.password_file)
        except WgmqttError as error:
            first = replace(error.problems[0], excerpt="")
            said = say(phrases.CONFIG_REJECTED, problems=len(error.problems), reason=first)
            journal.write(said)
        else:
            journal.write(say(phrases.CONFIG_RELOADED, routers=len(config.routers), links=len(config.links)))
            self._config = self._performer.config = config
            self.post(Reconfigured(config))
            self._watch_anew()
        systemd.notify("READY=1")

    def _watch_anew(self) -> None:
        """Watch from nothing: what was of no interest in the last dump may be of interest now."""
        if self._watching is not None:
            self._watching.cancel()
        self._watching = self._tasks.create_task(self._watch())

    async def _watch(self) -> None:
        async with self._one_watches:
            await watch(self._config, self.post, awaited=lambda: stale_sessions.awaited(self._state))

    async def _watch_freezing(self) -> None:
        while True:
            await asyncio.sleep(FREEZE_POLL_S)
            self.post(Freezing(is_frozen(self._path)))


async def _feed_watchdog() -> None:
    pause_s = systemd.watchdog_s()
    while pause_s is not None:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(pause_s)
