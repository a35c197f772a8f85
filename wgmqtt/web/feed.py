"""Follows the hub's topics, connection after connection. Edge: talks to the broker by paho-mqtt."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from wgmqtt.broker.connection import Login, make_client
from wgmqtt.errors import WgmqttError

FIRST_RETRY_S, LONGEST_RETRY_S = 0.25, 8.0
STEADY_S = 10.0
"""A connection that lasted this long was a good one: the next attempt follows at once again."""


class Listener(Protocol):
    """Who is given what arrives; always on the event loop's thread."""

    def connected(self) -> None:
        """The broker accepted the subscriptions."""

    def disconnected(self, reason: str) -> None:
        """There is no connection, or there is none any more."""

    def message(self, topic: str, payload: bytes) -> None:
        """A message arrived."""


async def follow(make_login: Callable[[], Login], topics: tuple[str, ...], listener: Listener) -> None:
    """Follow these topics until cancelled; after a lost connection retry, less and less often."""
    loop = asyncio.get_running_loop()
    pause_s = FIRST_RETRY_S
    while True:
        began_s = loop.time()
        try:
            connection = _Connection(make_login(), topics, listener)
        except (WgmqttError, OSError) as error:  # the password or a certificate cannot be read; it may be soon
            reason = str(error)
        else:
            reason = await connection.run()
        listener.disconnected(reason)
        if loop.time() - began_s > STEADY_S:
            pause_s = FIRST_RETRY_S
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_RETRY_S)


class _Connection:
    """One connection, used once. paho's callbacks run on its own thread and only hand over to the event loop."""

    def __init__(self, login: Login, topics: tuple[str, ...], listener: Listener) -> None:
        self._loop = asyncio.get_running_loop()
        self._topics = topics
        self._listener = listener
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._client = make_client(login, lambda reason: self._hand_over(self._end, reason))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    async def run(self) -> str:
        """Connect, and return why the connection ended."""
        self._client.loop_start()
        try:
            return await self._ended
        finally:
            await asyncio.shield(asyncio.to_thread(self._stop))

    def _stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hand_over(self, call: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(call, *arguments)

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: paho.ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        if code.is_failure:
            self._hand_over(self._end, str(code))
        else:
            client.subscribe([(topic, 0) for topic in self._topics])

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], _more: Properties | None
    ) -> None:
        if any(code.is_failure for code in codes):
            self._hand_over(self._end, "the broker rejected the subscription")
        else:
            self._hand_over(self._listener.connected)

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: paho.DisconnectFlags,
        code: ReasonCode,
        _more: Properties | None,
    ) -> None:
        self._hand_over(self._end, "connection ended" if not code.is_failure else str(code))

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._hand_over(self._listener.message, message.topic, bytes(message.payload))
