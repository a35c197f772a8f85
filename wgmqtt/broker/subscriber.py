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
Message = tuple[str, bytes]


class Viewer:
    """One connection that only subscribes; a context manager."""

    def __init__(self, login: Login, topics: tuple[str, ...]) -> None:
        self._where = f"{login.address.unix_socket or login.address.host}:{login.address.port}"
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
            raise EdgeError(
                Problem(self._where, f"no connection to the broker: {got}", hint="check that it runs at this address")
            )
        return got


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
        while (message := viewer.take(None)) is not None:
            yield message[1]
