"""One connection to the broker, discarded when it ends.

Each connection has a paho client of its own: a client that reconnects sends its old unacknowledged messages again after
`on_connect`, so a stale value would overwrite what was just published. paho's callbacks run in its own thread and only
hand small frozen events over to the event loop.
"""

import asyncio
import contextlib
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from wgmqtt.broker.report_inbox import ReportInbox
from wgmqtt.engine.effects import PublishStatus, PublishTable, ReadRetained
from wgmqtt.engine.events import (
    Acked,
    BrokerDown,
    BrokerUp,
    Cause,
    Event,
    HubMessage,
    ReadBack,
    Reported,
    TableOverwritten,
)
from wgmqtt.model import BrokerAddress
from wgmqtt.wire.report import MAX_REPORT_BYTES

KEEP_ALIVE_S = 30
MAX_IN_FLIGHT = 5_000  # more than the engine ever publishes at once, so that paho never queues
TOPICS_PER_SUBSCRIBE = 200
UNSPECIFIED = 0x80
MAX_REASON = 200
MAX_PENDING = 256  # messages of other clients, beside reports, that wait for the event loop
NO_MEMORY_RETRY_S = 0.1
# paho reports MQTT 3.1.1's codes as those of MQTT 5: bad user name or password, not authorized.
LOGIN_REJECTED = (0x86, 0x87)


@dataclass(frozen=True, slots=True)
class Login:
    """How to connect: the address, the account and the will."""

    address: BrokerAddress
    client_id: str
    username: str
    password: str
    will_topic: str
    will_payload: bytes
    """Empty for no will."""

    def __repr__(self) -> str:
        """Return a text without the password, for logs and tracebacks."""
        return f"Login({self.username}@{self.address.host})"


class Client(paho.Client):
    """A paho client that connects once, and reports in its thread why that thread ends, whatever the reason."""

    on_thread_end: Callable[[str], None]

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:  # noqa: ARG002, FBT001, FBT002 - the signature is paho's
        """Serve the connection until it ends; paho calls this in its thread."""
        code = MQTTErrorCode.MQTT_ERR_UNKNOWN
        try:
            code = super().loop_forever(timeout, retry_first_connection=False)
            reason = str(code)
        except OSError as error:
            reason = str(error.strerror or error)
        except Exception as error:  # noqa: BLE001 - such as a topic that is not UTF-8; nobody else would notice
            reason = f"MQTT client failed: {type(error).__name__}: {error}"[:MAX_REASON]
        self.on_thread_end(reason)
        return code


def make_client(login: Login, on_thread_end: Callable[[str], None]) -> Client:
    """Return a client that connects once and does not reconnect. `on_thread_end` gets the reason, in its thread."""
    unix = login.address.unix_socket
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=login.client_id,
        clean_session=True,
        protocol=paho.MQTTv311,
        transport="unix" if unix else "tcp",
        reconnect_on_failure=False,
    )
    client.on_thread_end = on_thread_end
    client.username_pw_set(login.username, login.password)
    if login.will_payload:
        client.will_set(login.will_topic, login.will_payload, qos=1, retain=True)
    if login.address.tls is not None:
        tls = login.address.tls
        context = ssl.create_default_context(cafile=tls.ca_file or None)
        if tls.cert_file:
            context.load_cert_chain(tls.cert_file, tls.key_file or None)
        client.tls_set_context(context)
    client.max_inflight_messages_set(MAX_IN_FLIGHT)
    client.connect_async(unix or login.address.host, login.address.port, keepalive=KEEP_ALIVE_S)
    return client


class Connection:
    """One connection of one generation. It delivers every event on the event loop's own thread."""

    def __init__(
        self, generation: int, login: Login, deliver: Callable[[Event], None], report_inbox: ReportInbox
    ) -> None:
        self.generation = generation
        self._report_inbox = report_inbox
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._is_down = False
        self._reading: ReadRetained | None = None
        self._expected: frozenset[str] = frozenset()
        self._retained: dict[str, bytes] = {}
        self._pending = threading.BoundedSemaphore(MAX_PENDING)
        self._routers: dict[str, str] = {}
        self._paused: set[str] = set()
        self._hub: frozenset[str] = frozenset()
        self._tables: dict[int, tuple[str, int, str]] = {}
        # Per topic of a table: its router, the hash of its newest payload, and of the one before until that one is
        # acknowledged. Every other message there is another client's. The hash is keyed, so nobody can forge it.
        self._table_routers: dict[str, str] = {}
        self._newest: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._fence_note = secrets.token_hex(8).encode()  # anyone who may read the topic sees it, so not the client-id
        self._client = self._make_client(login)

    def _make_client(self, login: Login) -> Client:
        client = make_client(login, self._down)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_open = _no_delay
        return client

    def start(self) -> None:
        """Connect, in paho's thread.

        Raises:
            OSError: there is no thread or socket left.
        """
        try:
            self._client.loop_start()
        except (RuntimeError, MemoryError) as error:
            raise OSError(str(error)) from error

    async def close(self) -> None:
        """End the connection and wait for its thread to end, without blocking the event loop: that can take seconds."""
        self._is_down = True
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        for end in (self._client.disconnect, self._client.loop_stop):
            with contextlib.suppress(OSError, RuntimeError):  # the thread never started, or it failed
                end()

    def publish_table(self, effect: PublishTable) -> None:
        """Publish a table; `Acked` follows when the broker has it."""
        self._before[effect.topic] = self._newest.get(effect.topic, 0)
        self._newest[effect.topic] = hash(effect.payload)
        sent = self._client.publish(effect.topic, effect.payload, qos=1, retain=True)
        # `_acked` runs on this same thread, so it cannot run before the next line does.
        self._tables[sent.mid] = (effect.router, effect.seq, effect.topic)

    def publish_status(self, effect: PublishStatus) -> None:
        """Publish on one of the hub's own topics, without waiting for the acknowledgement."""
        self._client.publish(effect.topic, effect.payload, qos=1, retain=effect.is_retained)

    def publish_event(self, topic: str, payload: bytes) -> None:
        """Publish a log line for current subscribers; it is neither acknowledged nor retained."""
        if self._client.is_connected():
            self._client.publish(topic, payload, qos=0)

    def read_retained(self, effect: ReadRetained) -> None:
        """Collect what is retained; `ReadBack` follows, then `Reported` for every report.

        The subscriptions use QoS 0, because at QoS 1 mosquitto drops what exceeds about 1,020 queued messages. The
        message to the fence topic returns to this client after every message that the broker queued before it.
        """
        self._reading, self._retained, self._hub = effect, {}, frozenset()
        # The hub's own topics stay subscribed, so that no message of another daemon is missed or delivered twice.
        topics = (*effect.hub, *effect.topics, *(topic for topic, _ in effect.tables))
        self._expected = frozenset(topics)
        self._subscribe((effect.fence, *topics))
        self._client.publish(effect.fence, self._fence_note, qos=0)

    def _subscribe(self, topics: tuple[str, ...]) -> None:
        for first in range(0, len(topics), TOPICS_PER_SUBSCRIBE):
            self._client.subscribe([(topic, 0) for topic in topics[first : first + TOPICS_PER_SUBSCRIBE]])

    def _hand(self, event: Event) -> None:
        """Hand an event over to the event loop; called in paho's thread."""
        self._loop.call_soon_threadsafe(self._deliver, event)

    def _hand_message(self, event: Event) -> None:
        """Hand over an event that other clients cause; drop it if too many are pending, for they may flood."""
        if self._pending.acquire(blocking=False):
            self._loop.call_soon_threadsafe(self._deliver_message, event)

    def _deliver_message(self, event: Event) -> None:
        self._pending.release()
        self._deliver(event)

    def _down(self, reason: str, cause: Cause = "connection") -> None:
        if self._is_down:
            return
        self._is_down = True
        while True:
            try:
                self._hand(BrokerDown(self.generation, reason, cause))
            except MemoryError:
                time.sleep(NO_MEMORY_RETRY_S)  # in paho's thread; without this event nobody would reconnect
            else:
                return

    def _on_connect(
        self, _client: paho.Client, _data: object, _flags: paho.ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        if code.is_failure:
            self._down(str(code), "login" if code.value in LOGIN_REJECTED else "connection")
        else:
            self._hand(BrokerUp(self.generation))

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: paho.DisconnectFlags,
        code: ReasonCode,
        _more: Properties | None,
    ) -> None:
        self._down("connection ended" if code.value == UNSPECIFIED else str(code))

    def _on_publish(
        self, _client: paho.Client, _data: object, mid: int, _code: ReasonCode, _more: Properties | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._acked, mid)

    def _acked(self, mid: int) -> None:
        if mid in self._tables:
            router, seq, topic = self._tables.pop(mid)
            self._before.pop(topic, None)
            self._deliver(Acked(self.generation, router, seq))

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        router = self._routers.get(message.topic)
        if router is not None:
            self._take_report(message.topic, router, message.payload)
        elif message.topic in self._hub:
            self._hand_message(HubMessage(self.generation, message.topic, bytes(message.payload)))
        elif self._reading is None:
            self._check_table(message.topic, bytes(message.payload))
        elif message.topic == self._reading.fence:
            if message.payload == self._fence_note:  # not that of another daemon of this hub
                self._finish_reading(self._reading)
        elif message.topic in self._expected:
            self._retained[message.topic] = bytes(message.payload)

    def _check_table(self, topic: str, payload: bytes) -> None:
        """Report a message on a table's topic that is not this daemon's own, which returns to it, too."""
        router = self._table_routers.get(topic)
        if router is not None and hash(payload) not in (self._newest.get(topic), self._before.get(topic)):
            self._hand_message(TableOverwritten(self.generation, router))

    def _take_report(self, topic: str, router: str, payload: bytes | bytearray) -> None:
        # One byte more than the limit suffices to reject a report that is too large.
        report = Reported(self.generation, router, bytes(payload[: MAX_REPORT_BYTES + 1]))
        if not self._report_inbox.put(report) and topic not in self._paused:
            self._paused.add(topic)
            self._client.unsubscribe(topic)
            self._loop.call_soon_threadsafe(self._pause, topic, router)

    def _pause(self, topic: str, router: str) -> None:
        self._report_inbox.on_flood(router)
        self._loop.call_later(self._report_inbox.pause_s, self._resume, topic)

    def _resume(self, topic: str) -> None:
        if not self._is_down:
            self._paused.discard(topic)
            self._subscribe((topic,))

    def _finish_reading(self, asked: ReadRetained) -> None:
        self._reading = None
        self._table_routers = dict(asked.tables)
        self._newest = {topic: hash(self._retained.get(topic, b"")) for topic in self._table_routers}
        self._hand(ReadBack(self.generation, self._retained))
        self._retained = {}
        # The topics of tables stay subscribed, so that a table that another client overwrites is noticed.
        self._client.unsubscribe([asked.fence, *asked.topics])
        self._routers = dict(asked.reports)
        self._hub = frozenset(asked.hub)
        self._subscribe(tuple(self._routers))


def _no_delay(_client: paho.Client, _data: object, opened: object) -> None:
    """Disable Nagle's algorithm: a second small message would wait up to 40 ms for the acknowledgement of the first."""
    if isinstance(opened, socket.socket) and opened.family in (socket.AF_INET, socket.AF_INET6):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
