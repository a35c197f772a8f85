"""Carries out the engine's effects. Edge: owns the connection to the broker."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from wgmqtt import phrases
from wgmqtt.broker.connection import Connection, Login
from wgmqtt.broker.tcp_reset import end_connections
from wgmqtt.config.files import read_secret
from wgmqtt.engine.effects import (
    BreakSession,
    CloseBroker,
    Effect,
    OpenBroker,
    PublishStatus,
    PublishTable,
    ReadRetained,
    WakeAt,
)
from wgmqtt.engine.events import Acked, BrokerDown, Event, Woken
from wgmqtt.errors import EdgeError, WgmqttError
from wgmqtt.host import journal
from wgmqtt.logline import Say, say, say_at
from wgmqtt.model import Config
from wgmqtt.wire.hub import Online, encode_event, encode_online
from wgmqtt.wire.topics import Topics


class Performer:
    """Does what the engine asks for, at once and without blocking; answers come back by `post`."""

    def __init__(self, config: Config, instance: str, post: Callable[[Event], None], *, is_dry: bool = False) -> None:
        self.config = config
        self._instance = instance
        self._is_dry = is_dry
        self._post = post
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._breaking: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def do(self, effect: Effect) -> None:
        """Carry out one effect."""
        match effect:
            case Say():
                self.say(effect, time.time())
            case WakeAt():
                self._wake_at(effect.mono_s)
            case OpenBroker():
                self._close()
                self._opening = self._loop.create_task(self._open(effect.generation))
                self._opening.add_done_callback(raise_failure)
                self._opening.add_done_callback(_raise_if_failed)
            case CloseBroker():
                self._close()
            case BreakSession():
                self._break(effect.router)
            case PublishTable() | PublishStatus() | ReadRetained():
                self._send(effect)

    def say(self, said: Say, at_s: float) -> None:
        """Write a line of the log, and publish it; `at_s` is the Unix time at which it was said."""
        journal.write(said, at_s)
        self._tell(said, at_s)

    def _send(self, effect: PublishTable | PublishStatus | ReadRetained) -> None:
        connection = self._connection
        if connection is None or connection.generation != effect.generation:
            return  # of a connection that ended meanwhile: its BrokerDown is on the way
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

    def _tell(self, said: Say, at_s: float) -> None:
        """Publish a line for whoever follows `wgmqtt events`; what is said without a connection is in the journal."""
        if self._connection is not None and said.level != "debug" and not self._is_dry:
            topic = Topics(self.config.prefix, self.config.hub.name).hub_events
            self._connection.publish_event(topic, encode_event(said, at_s))

    def _break(self, router: str) -> None:
        address = next((each.tunnel_address for each in self.config.routers if each.name == router), "")
        if self._is_dry or not address:
            return
        self._breaking.add(task := self._loop.create_task(self._end_connections(router, address)))
        task.add_done_callback(self._breaking.discard)
        task.add_done_callback(raise_failure)

    async def _end_connections(self, router: str, address: str) -> None:
        try:
            number = await asyncio.to_thread(end_connections, self.config.broker_for_routers.port, address)
        except EdgeError as error:
            said = say(phrases.RESET_FAILED, router=router, reason=error)
        else:  # none: the broker is on another machine, and its TCP is not ours to end
            said = say_at("info" if number else "debug", phrases.CONNECTION_RESET, router=router, connections=number)
        self.say(said, time.time())

    def _wake_at(self, mono_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, mono_s - time.monotonic()), self._post, Woken())

    def _close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()  # it may still wait for the end of the connection before
        if self._connection is not None:
            closing = self._loop.create_task(self._connection.close())
            closing.add_done_callback(self._closed)
            self._closing.add(closing)
            self._connection = None

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        _raise_if_failed(closing)

    async def _all_closed(self) -> None:
        if self._closing:
            await asyncio.wait(self._closing)

    async def _open(self, generation: int) -> None:
        # One live thread at a time: two of them with one client-id would drive each other out.
        await self._all_closed()
        topics = Topics(self.config.prefix, self.config.hub.name)
        try:
            login = Login(
                address=self.config.broker,
                # Kept over this process's connections: a broker that still holds the last one lets it go.
                client_id=f"wgmqtt-{self.config.hub.name}-{self._instance}",
                username=self.config.username,
                password=read_secret(Path(self.config.password_file)),
                will_topic=topics.hub_online,
                will_payload=b"" if self._is_dry else self._offline(),
            )
            self._connection = Connection(generation, login, self._post)
        except (WgmqttError, OSError) as error:  # a secret or a certificate that cannot be read: tried again later
            self._post(BrokerDown(generation, str(error), "files"))
            return
        try:
            self._connection.start()
        except OSError as error:  # no more threads or sockets, or not even a loopback
            self._post(BrokerDown(generation, str(error)))

    def _offline(self) -> bytes:
        return encode_online(Online(is_online=False, instance=self._instance))

    async def stop(self, *, is_serving: bool) -> None:
        """End the connection; say that the hub is away if this daemon was the one to speak for it."""
        if self._timer is not None:
            self._timer.cancel()
        if self._connection is not None and is_serving and not self._is_dry:
            topic = Topics(self.config.prefix, self.config.hub.name).hub_online
            self._connection.publish_status(PublishStatus(self._connection.generation, topic, self._offline()))
        self._close()
        await self._all_closed()


def _raise_if_failed(task: asyncio.Task[None]) -> None:
    """Let the event loop hear of an error that nobody waits for: it ends the daemon."""
    if not task.cancelled():
        task.result()


def raise_failure(task: asyncio.Task[None]) -> None:
    """Raise what a task ended with, at once, for the event loop's own handler: it ends the daemon."""
    if not task.cancelled():
        task.result()
