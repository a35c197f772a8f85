"""One MQTT 3.1.1 connection with a clean session, through paho.

A paho client is used for one connection only, because a client that reconnects sends its old unacknowledged messages
again. paho's thread only sets events and calls `on_message` and `on_lost`, which must not block or raise.
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
_DISCONNECT_TIMEOUT_S = 1.0


class LinkError(Exception):
    """The broker is unreachable, refused the connection, or did not answer. `str()` says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish, or a will."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The settings of a connection. With `tls`, `authorities` are trusted; `identity`: certificate and key, as PEM."""

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
    """Load the certificate and the key in `pem` into a context; the ssl module can read them only from a file.

    Raises:
        ssl.SSLError: the key does not belong to the certificate.
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
    """One connection, from `open` to its loss; it cannot be opened twice."""

    def __init__(self, settings: BrokerSettings, callbacks: Callbacks) -> None:
        self._settings = settings
        self._callbacks = callbacks
        self._answered = Event()
        self._closed = Event()
        self._refusal = ""
        self._client = self._make_client()

    def open(self) -> None:
        """Connect, wait for the broker's answer, and subscribe.

        Raises:
            LinkError: the broker did not answer within 5 s, or refused.
        """
        deadline = monotonic() + CONNECT_TIMEOUT_S
        try:
            self._client.connect(self._settings.address, self._settings.port, self._settings.keep_alive_s)
        except (OSError, ValueError) as error:
            raise LinkError(str(error)) from error
        self._client.loop_start()
        while not self._answered.wait(_STEP_S):
            if self._closed.is_set() or monotonic() > deadline:
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
        return self._answered.is_set() and not self._refusal and not self._closed.is_set()

    def publish(self, message: Message) -> None:
        """Publish; at QoS 1 and 2 wait until the broker has acknowledged the message.

        Raises:
            LinkError: the connection was lost before that, or 10 s passed.
        """
        sent = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if sent.rc != MQTT_ERR_SUCCESS:
            raise LinkError(error_string(sent.rc))
        deadline = monotonic() + ACKNOWLEDGE_TIMEOUT_S
        while not sent.is_published():
            if self._closed.is_set() or monotonic() > deadline:
                raise LinkError("not acknowledged by the broker")
            sent.wait_for_publish(_STEP_S)

    def close(self) -> None:
        """Send a DISCONNECT, so that the broker does not publish the will, and close the connection."""
        self._client.disconnect()
        if not self._closed.wait(_DISCONNECT_TIMEOUT_S):
            self.cut()

    def cut(self) -> None:
        """Close the TCP connection without a DISCONNECT."""
        tcp = self._client.socket()
        if not isinstance(tcp, socket.socket):
            return
        try:
            tcp.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # already closed

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
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts only the imported certificates
            for pem in settings.authorities:
                context.load_verify_locations(cadata=pem)
            if settings.identity:
                load_identity(context, settings.identity)
            client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, _client: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()

    def _on_disconnect(
        self, _client: Client, _userdata: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if not self._closed.is_set():
            self._callbacks.on_lost(
                str(reason)
            )  # before the event, so that a waiting thread finds the loss in the queue
            self._closed.set()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._callbacks.on_message(message.topic, bytes(message.payload))
