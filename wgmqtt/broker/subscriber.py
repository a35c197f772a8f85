"""Reads the hub's status and events from the broker, for the command line on any machine."""

import queue
from collections.abc import Iterator
from typing import Self

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from wgmqtt.broker.connection import Login, make_client
from wgmqtt.errors import EdgeError, Problem
from wgmqtt.wire.hub import HubStatus, decode_online, decode_status
from wgmqtt.wire.topics import Topics

ANSWER_S = 5.0
UNSPECIFIED = "Unspecified error"  # what paho calls a connection that ends without a packet
REJECTIONS = ("Not authorized", "Bad user name or password", "Client identifier not valid")
Message = tuple[str, bytes]


class Viewer:
    """One connection that only subscribes; a context manager."""

    def __init__(self, login: Login, topics: tuple[str, ...]) -> None:
        address = login.address
        self._where = address.unix_socket or f"{address.host}:{address.port}"
        self._user = login.username
        self._has_tls = address.tls is not None
        self._is_connected = False
        self._topics = topics
        self._messages: queue.SimpleQueue[Message | str] = queue.SimpleQueue()
        self._client = make_client(login, self._messages.put)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda _client, _data, _flags, code, _more: self._messages.put(str(code))
        self._client.on_message = lambda _client, _data, got: self._messages.put((got.topic, bytes(got.payload)))

    def __enter__(self) -> Self:
        """Connect, in paho's thread."""
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: paho.ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        if code.is_failure:
            self._messages.put(str(code))
        else:
            self._is_connected = True
            client.subscribe([(topic, 0) for topic in self._topics])

    def take(self, timeout_s: float | None) -> Message | None:
        """Return the next message, or None after `timeout_s` without one; None as the timeout waits without limit.

        Raises:
            EdgeError: the connection failed or was lost.
        """
        try:
            got = self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(got, str):
            raise self._failure(got)
        return got

    def check_connected(self) -> None:
        """Raise EdgeError if the broker has not answered yet."""
        if not self._is_connected:
            hint = "check that the broker runs there, and that no firewall drops this connection"
            raise EdgeError(Problem(self._where, f"no answer from the broker within {ANSWER_S:.0f} s", hint=hint))

    def _failure(self, reason: str) -> EdgeError:
        """Return the error for a connection that failed or ended, with what to check."""
        what, hint = f"no connection to the broker: {reason}", "check that it runs at this address"
        if reason in REJECTIONS:
            what = f"the broker rejected the user {self._user}"
            hint = "check its password file; on the hub: wgmqtt gen-mosquitto, then systemctl reload mosquitto"
        elif self._is_connected:
            what = "the broker ended the connection" + ("" if reason == UNSPECIFIED else f": {reason}")
            hint = "check that it runs: systemctl status mosquitto"
        elif "SSL" in reason and self._has_tls:
            hint = "check that this port is the broker's TLS listener, and that ca_file fits its certificate"
        elif reason == UNSPECIFIED:
            what, hint = "the broker closed the connection before it answered", "check that this port speaks MQTT"
        return EdgeError(Problem(self._where, what, hint=hint))


def read_view(login: Login, topics: Topics) -> Iterator[tuple[HubStatus, bool]]:
    """Yield the hub's status and whether the hub is online, now and at each change.

    Raises:
        EdgeError: the connection failed, or the hub has published no status.
    """
    status: HubStatus | None = None
    is_online = False
    with Viewer(login, (topics.hub_online, topics.hub_status)) as viewer:
        while True:
            message = viewer.take(ANSWER_S if status is None else None)
            if message is None:
                viewer.check_connected()
                hint = "check that wgmqtt runs on the hub, and that this user may read the topic"
                raise EdgeError(Problem(topics.hub_status, "the hub has published no status", hint=hint))
            topic, payload = message
            if topic == topics.hub_online:
                online = decode_online(payload, topic)
                is_online = online is not None and online.is_online
            else:
                status = decode_status(payload, topic) or status
            if status is not None:
                yield status, is_online


def read_events(login: Login, topics: Topics) -> Iterator[bytes]:
    """Yield the payload of each event that the hub publishes."""
    with Viewer(login, (topics.hub_events,)) as viewer:
        message = viewer.take(ANSWER_S)
        if message is None:
            viewer.check_connected()
        while True:
            if message is not None:
                yield message[1]
            message = viewer.take(None)
