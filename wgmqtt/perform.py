"""Carries out the engine's effects; owns the connection to the broker."""

import asyncio
import math
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from wgmqtt import phrases
from wgmqtt.broker.connection import Connection, Login
from wgmqtt.broker.report_inbox import ReportInbox
from wgmqtt.broker.tcp_reset import reset_connections
from wgmqtt.engine.effects import (
    CloseBroker,
    Effect,
    OpenBroker,
    PublishStatus,
    PublishTable,
    ReadRetained,
    ResetConnection,
    WakeAt,
)
from wgmqtt.engine.events import Acked, BrokerDown, Event, Woken
from wgmqtt.errors import EdgeError, WgmqttError
from wgmqtt.host import journal
from wgmqtt.host.log_limit import LogLimit
from wgmqtt.host.secrets import read_secret
from wgmqtt.logline import Level, Say, say, say_at
from wgmqtt.model import Config
from wgmqtt.wire.hub import Online, encode_event, encode_online
from wgmqtt.wire.topics import Topics, topics_of


class Performer:
    """Carries out effects at once, without blocking; their results come back as events through `post`."""

    def __init__(self, config: Config, instance: str, post: Callable[[Event], None], *, is_dry: bool = False) -> None:
        self.config = config
        self._instance = instance
        # The same for every connection of this process, so that the broker drops a stale one in its favour. Nobody else
        # may know it: the broker ends a connection when another client connects with its id.
        self._client_id = f"wgmqtt-{config.hub.name}-{secrets.token_hex(8)}"
        self._is_dry = is_dry
        self._post = post
        self._loop = asyncio.get_running_loop()
        self._report_inbox = ReportInbox(post, self._report_flood)
        self._flooded_s: dict[str, float] = {}
        self._log_limit = LogLimit()
        self._connection: Connection | None = None
        self._resetting: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _topics(self) -> Topics:
        return topics_of(self.config)

    def do(self, effect: Effect) -> None:
        """Carry out one effect. Log lines are not carried out here: the daemon hands them to `log` when it is idle."""
        match effect:
            case WakeAt():
                self._wake_at(effect.mono_s)
            case OpenBroker():
                self._close()
                self._opening = self._loop.create_task(self._open(effect.generation))
                self._opening.add_done_callback(_raise_if_failed)
            case CloseBroker():
                self._close()
            case ResetConnection():
                self._reset(effect.router)
            case PublishTable() | PublishStatus() | ReadRetained():
                self._send(effect)

    def log(self, line: Say, at_s: float) -> None:
        """Write a log line and publish it for `wgmqtt events`; `at_s` is the Unix time of what it describes."""
        for each in self._log_limit.admit(line, time.monotonic()):
            journal.write(each, at_s)
            if self._connection is not None and each.level != "debug" and not self._is_dry:
                self._connection.publish_event(self._topics.hub_events, encode_event(each, at_s))

    def _report_flood(self, router: str) -> None:
        now_s = time.monotonic()
        is_known = now_s - self._flooded_s.get(router, -math.inf) < 2 * self._report_inbox.pause_s
        self._flooded_s[router] = now_s
        level: Level = "debug" if is_known else "warning"
        line = say_at(level, phrases.REPORTS_PAUSED, router=router, pause_s=f"{self._report_inbox.pause_s:.0f}")
        self.log(line, time.time())

    def _send(self, effect: PublishTable | PublishStatus | ReadRetained) -> None:
        connection = self._connection
        if connection is None or connection.generation != effect.generation:
            return  # for a connection that has ended: its BrokerDown is on the way
        match effect:
            case PublishTable():
                self._publish_table(connection, effect)
            case PublishStatus() if not self._is_dry:
                connection.publish_status(effect)
            case ReadRetained():
                connection.read_retained(effect)

    def _publish_table(self, connection: Connection, effect: PublishTable) -> None:
        if not self._is_dry:
            connection.publish_table(effect)
            return
        text = effect.payload.decode("ascii")
        journal.write(say(phrases.WOULD_PUBLISH, topic=effect.topic, payload=text))
        self._loop.call_soon(self._post, Acked(effect.generation, effect.router, effect.seq))

    def _reset(self, router: str) -> None:
        address = next((each.tunnel_address for each in self.config.routers if each.name == router), "")
        if self._is_dry or not address:
            return
        self._resetting.add(task := self._loop.create_task(self._reset_connections(router, address)))
        task.add_done_callback(self._resetting.discard)
        task.add_done_callback(_raise_if_failed)

    async def _reset_connections(self, router: str, address: str) -> None:
        try:
            count = await asyncio.to_thread(reset_connections, self.config.broker_for_routers.port, address)
        except EdgeError as error:
            line = say(phrases.RESET_FAILED, router=router, reason=error)
        else:
            # With a broker on another machine there is no connection here to reset.
            line = say_at("info" if count else "debug", phrases.CONNECTION_RESET, router=router, connections=count)
        self.log(line, time.time())

    def _wake_at(self, mono_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, mono_s - time.monotonic()), self._post, Woken())

    def _close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()  # it may still be waiting for the previous connection to close
        if self._connection is not None:
            closing = self._loop.create_task(self._connection.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            closing.add_done_callback(_raise_if_failed)
            self._connection = None

    async def _all_closed(self) -> None:
        if self._closing:
            await asyncio.wait(self._closing)

    async def _open(self, generation: int) -> None:
        # Only one live connection at a time: the broker ends the older of two with the same client-id.
        await self._all_closed()
        try:
            login = Login(
                address=self.config.broker,
                client_id=self._client_id,
                username=self.config.username,
                password=read_secret(Path(self.config.password_file)),
                will_topic=self._topics.hub_online,
                will_payload=b"" if self._is_dry else self._offline(),
            )
            self._connection = Connection(generation, login, self._post, self._report_inbox)
        except (WgmqttError, OSError) as error:  # an unreadable secret or certificate; the engine retries later
            self._post(BrokerDown(generation, str(error), "files"))
            return
        try:
            self._connection.start()
        except OSError as error:  # out of threads or sockets
            self._post(BrokerDown(generation, str(error)))

    def _offline(self) -> bytes:
        return encode_online(Online(is_online=False, instance=self._instance))

    async def stop(self, *, is_serving: bool) -> None:
        """End the connection; publish that the hub is offline if this daemon was the active one."""
        if self._timer is not None:
            self._timer.cancel()
        if self._connection is not None and is_serving and not self._is_dry:
            offline = PublishStatus(self._connection.generation, self._topics.hub_online, self._offline())
            self._connection.publish_status(offline)
        self._close()
        await self._all_closed()


def _raise_if_failed(task: asyncio.Task[None]) -> None:
    """Raise the exception of a task that nobody awaits, so that the event loop's handler ends the daemon."""
    if not task.cancelled():
        task.result()
