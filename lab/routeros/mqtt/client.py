"""One MQTT 3.1.1 connection with a clean session. Edge: talks to a broker through paho.

One paho client serves one connection and is thrown away after it: a client that reconnects sends its old
unacknowledged messages again. paho's thread only sets events and calls `on_message` and `on_lost`, which must not block
or raise.
"""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile
from threading import Event
from time import monotonic

from paho.mqtt.client import (
    MQTT_ERR_SUCCESS,
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    MQTTv311,
    error_string,
)
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from lab.routeros.mqtt.rules import ACKNOWLEDGE_TIMEOUT_S, CONNECT_TIMEOUT_S

_STEP_S = 0.05
_FAREWELL_S = 1.0


class LinkError(Exception):
    """The broker unreachable, refused, or did not answer. `str()` says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published; also a will."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """What a connection needs; `authorities` are PEM texts, used when `tls`, as is `identity`: certificate and key."""

    address: str
    port: int
    client_id: str
    keep_alive_s: int
    username: str = ""
    password: str = field(default="", repr=False)
    will: Message | None = None
    tls: bool = False
    authorities: tuple[str, ...] = ()
    identity: str = field(default="", repr=False)
    auto_connect: bool = False
    topics: tuple[tuple[str, int], ...] = ()


def load_identity(context: ssl.SSLContext, pem: str) -> None:
    """Give a context the certificate and the key that `pem` holds; the ssl module reads them from files alone.

    Raises:
        ssl.SSLError: they do not belong together.
    """
    with NamedTemporaryFile("w", encoding="ascii") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Called from paho's thread."""

    on_message: Callable[[str, bytes], None]
    on_lost: Callable[[str], None]


class Connection:
    """A connection from `open` to its loss; not to be opened twice."""

    def __init__(self, settings: BrokerSettings, callbacks: Callbacks) -> None:
        self._settings = settings
        self._callbacks = callbacks
        self._answered = Event()
        self._over = Event()
        self._refusal = ""
        self._client = self._make_client()

    def open(self) -> None:
        """Connect, wait for the broker's answer, and subscribe.

        Raises:
            LinkError: no answer within 5 s, or a refusal.
        """
        given_up = monotonic() + CONNECT_TIMEOUT_S
        try:
            self._client.connect(self._settings.address, self._settings.port, self._settings.keep_alive_s)
        except (OSError, ValueError) as error:
            raise LinkError(str(error)) from error
        self._client.loop_start()
        while not self._answered.wait(_STEP_S):
            if self._over.is_set() or monotonic() > given_up:
                self.cut()
                raise LinkError("no answer from the broker")
        if self._refusal:
            self.cut()
            raise LinkError(self._refusal)
        if self._settings.topics:
            self._client.subscribe(list(self._settings.topics))

    @property
    def is_up(self) -> bool:
        """Return whether the broker has accepted the connection and it has not been lost."""
        return self._answered.is_set() and not self._refusal and not self._over.is_set()

    def publish(self, message: Message) -> None:
        """Publish; at QoS 1 and 2 return when the broker has acknowledged it.

        Raises:
            LinkError: the connection was lost before that, or 10 s went by.
        """
        sent = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if sent.rc != MQTT_ERR_SUCCESS:
            raise LinkError(error_string(sent.rc))
        given_up = monotonic() + ACKNOWLEDGE_TIMEOUT_S
        while not sent.is_published():
            if self._over.is_set() or monotonic() > given_up:
                raise LinkError("not acknowledged by the broker")
            sent.wait_for_publish(_STEP_S)

    def close(self) -> None:
        """Say goodbye to the broker (so that it does not publish the will) and end the connection."""
        self._client.disconnect()
        if not self._over.wait(_FAREWELL_S):
            self.cut()

    def cut(self) -> None:
        """Break the TCP connection without a word."""
        tcp = self._client.socket()
        if not isinstance(tcp, socket.socket):
            return
        try:
            tcp.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was gone already

    def _make_client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=True,
            protocol=MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        if settings.username:
            client.username_pw_set(settings.username, settings.password or None)
        if settings.will:
            client.will_set(settings.will.topic, settings.will.payload, settings.will.qos, settings.will.retain)
        if settings.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts what was imported, and nothing else
            for pem in settings.authorities:
                context.load_verify_locations(cadata=pem)
            if settings.identity:
                load_identity(context, settings.identity)
            client.tls_set_context(context)
        client.on_connect = self._heard_answer
        client.on_disconnect = self._heard_end
        client.on_message = self._heard_message
        return client

    def _heard_answer(
        self, _client: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()

    def _heard_end(
        self, _client: Client, _userdata: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if not self._over.is_set():
            self._callbacks.on_lost(str(reason))  # first: whoever waits for the end finds the news in the queue
            self._over.set()

    def _heard_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._callbacks.on_message(message.topic, bytes(message.payload))
