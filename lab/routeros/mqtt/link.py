"""The link to one broker: it connects on request, and by auto-connect after a loss.

One thread handles all events in order: requests to connect and disconnect, losses, messages. A publish waits for the
broker in the thread of its caller.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Protocol

from lab.routeros.mqtt.client import BrokerSettings, Callbacks, Connection, LinkError, Message
from lab.routeros.mqtt.rules import CONNECT_TIMEOUT_S, retry_delay_s


@dataclass(frozen=True, slots=True)
class LinkEvents:
    """Called from the link's thread when something happens."""

    connected: Callable[[], None]
    disconnected: Callable[[str], None]  # the reason
    message: Callable[[str, bytes], None]  # topic and payload


class BrokerLink(Protocol):
    """The link of one broker item, as the menus use it."""

    @property
    def is_up(self) -> bool:
        """Return whether the broker accepted the connection and it is still open."""
        ...

    def wake(self) -> None:
        """Read the settings again: connect if auto-connect is set and there is no connection."""
        ...

    def connect(self) -> None:
        """Connect and wait for the broker's answer; raises LinkError."""
        ...

    def disconnect(self) -> None:
        """Close the connection with a DISCONNECT; raises LinkError if there is none."""
        ...

    def publish(self, message: Message) -> None:
        """Publish on the open connection; raises LinkError."""
        ...

    def cut(self) -> None:
        """Break the TCP connection, as the loss of the network does."""
        ...

    def close(self) -> None:
        """Close the connection and the link, without waiting."""
        ...

    def join(self) -> None:
        """Wait until a closed link has ended its thread."""
        ...


MakeLink = Callable[
    [str, Callable[[], BrokerSettings], LinkEvents], BrokerLink
]  # a broker's name, its settings, its events


class Link:
    """The link of one broker item. `settings` is called before each connection, so a change affects the next one."""

    def __init__(self, name: str, settings: Callable[[], BrokerSettings], events: LinkEvents) -> None:
        self._settings = settings
        self._events = events
        self._requests: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._connection: Connection | None = None
        self._generation = 0
        self._failures = 0
        self._retry_at: float | None = None
        self._closed = False
        self._thread = Thread(target=self._work, name=f"mqtt {name}", daemon=True)
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Return whether the broker accepted the connection and it is still open."""
        connection = self._connection
        return connection is not None and connection.is_up

    def wake(self) -> None:
        """Read the settings again: connect if auto-connect is set and there is no connection."""
        self._requests.put(self._connect_if_automatic)

    def connect(self) -> None:
        """Connect and wait for the broker's answer; do nothing if connected.

        Raises:
            LinkError: it failed; auto-connect retries.
        """
        self._request(self._open)

    def disconnect(self) -> None:
        """Close the connection with a DISCONNECT; auto-connect opens a new one after the first delay.

        Raises:
            LinkError: there is no connection.
        """
        self._request(self._end)

    def publish(self, message: Message) -> None:
        """Publish on the open connection.

        Raises:
            LinkError: there is no connection, or it was lost before the acknowledgement.
        """
        connection = self._connection
        if connection is None or not connection.is_up:
            raise LinkError("not connected")
        connection.publish(message)

    def cut(self) -> None:
        """Break the TCP connection, as the loss of the network does."""
        if connection := self._connection:
            connection.cut()

    def close(self) -> None:
        """Close the connection and end the thread, without waiting; the link cannot be used afterwards."""
        self._requests.put(self._shut)

    def join(self) -> None:
        """Wait until a closed link has ended its thread, at most as long as a connection attempt takes."""
        self._thread.join(CONNECT_TIMEOUT_S)

    # In the link's own thread

    def _request(self, act: Callable[[], None]) -> None:
        done: Future[None] = Future()

        def carry_out() -> None:
            try:
                act()
            except LinkError as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        self._requests.put(carry_out)
        done.result()

    def _work(self) -> None:
        while not self._closed:
            wait_s = None if self._retry_at is None else max(0.0, self._retry_at - monotonic())
            try:
                request = self._requests.get(timeout=wait_s)
            except Empty:
                self._connect_if_automatic()
            else:
                request()

    def _connect_if_automatic(self) -> None:
        self._retry_at = None
        if self.is_up or not self._settings().auto_connect:
            return
        try:
            self._open()
        except LinkError as error:
            self._events.disconnected(str(error))

    def _open(self) -> None:
        if self.is_up:
            return
        self._connection = None
        self._generation += 1
        connection = Connection(self._settings(), self._callbacks(self._generation))
        try:
            connection.open()
        except LinkError:
            self._failures += 1
            self._retry_at = monotonic() + retry_delay_s(self._failures)
            raise
        self._failures, self._retry_at = 0, None
        self._connection = connection
        self._events.connected()

    def _callbacks(self, generation: int) -> Callbacks:
        """Return callbacks that pass the events of one connection from paho's thread to the link's."""
        requests = self._requests
        return Callbacks(
            on_message=lambda topic, payload: requests.put(lambda: self._events.message(topic, payload)),
            on_lost=lambda reason: requests.put(lambda: self._lost(generation, reason)),
        )

    def _lost(self, generation: int, reason: str) -> None:
        if self._connection is None or generation != self._generation:
            return  # an event of an earlier connection, or of one that never opened
        self._connection = None
        self._retry_at = monotonic() + retry_delay_s(1)
        self._events.disconnected(reason)

    def _end(self) -> None:
        if not self.is_up or self._connection is None:
            raise LinkError("not connected")
        self._connection.close()

    def _shut(self) -> None:
        self._closed = True
        if self._connection is not None:
            self._connection.close()
