"""The link to one broker: connects when told to, and by auto-connect after a loss. Edge: talks to a broker.

One thread works off what happens in its order: orders to connect and disconnect, losses, messages. Whoever publishes
waits for the broker in a thread of his own.
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
class Ears:
    """What the router does when something happens to a link; called from the link's thread."""

    connected: Callable[[], None]
    disconnected: Callable[[str], None]  # why
    message: Callable[[str, bytes], None]  # topic and payload


class BrokerLink(Protocol):
    """What the menus need of the link of one broker item."""

    @property
    def is_up(self) -> bool:
        """Return whether the broker has accepted us and the connection stands."""
        ...

    def wake(self) -> None:
        """Look at the settings again: connect if auto-connect is set and there is no connection."""
        ...

    def connect(self) -> None:
        """Connect and wait for it; raises LinkError."""
        ...

    def disconnect(self) -> None:
        """End the connection properly; raises LinkError if there is none."""
        ...

    def publish(self, message: Message) -> None:
        """Publish on the connection that stands; raises LinkError."""
        ...

    def cut(self) -> None:
        """Break the TCP connection, as a lost network would."""
        ...

    def close(self) -> None:
        """End the connection and the link, without waiting for it."""
        ...

    def join(self) -> None:
        """Wait until a closed link has ended."""
        ...


MakeLink = Callable[[str, Callable[[], BrokerSettings], Ears], BrokerLink]  # a broker's name, its settings, who hears


class Link:
    """The link of one broker item. `settings` is asked before each connection, so a change counts from the next one."""

    def __init__(self, name: str, settings: Callable[[], BrokerSettings], ears: Ears) -> None:
        self._settings = settings
        self._ears = ears
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._connection: Connection | None = None
        self._generation = 0
        self._failures = 0
        self._retry_at: float | None = None
        self._closed = False
        self._thread = Thread(target=self._work, name=f"mqtt {name}", daemon=True)
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Return whether the broker has accepted us and the connection stands."""
        connection = self._connection
        return connection is not None and connection.is_up

    def wake(self) -> None:
        """Look at the settings again: connect if auto-connect is set and there is no connection."""
        self._orders.put(self._try_if_wanted)

    def connect(self) -> None:
        """Connect and wait for it; nothing happens when connected.

        Raises:
            LinkError: it did not work; auto-connect goes on trying.
        """
        self._order(self._open)

    def disconnect(self) -> None:
        """End the connection properly; auto-connect opens a new one after the first delay.

        Raises:
            LinkError: there is none.
        """
        self._order(self._end)

    def publish(self, message: Message) -> None:
        """Publish on the connection that stands.

        Raises:
            LinkError: there is none, or it was lost on the way.
        """
        connection = self._connection
        if connection is None or not connection.is_up:
            raise LinkError("not connected")
        connection.publish(message)

    def cut(self) -> None:
        """Break the TCP connection, as a lost network would."""
        if connection := self._connection:
            connection.cut()

    def close(self) -> None:
        """End the connection and the thread, without waiting for it; the link is of no use afterwards."""
        self._orders.put(self._shut)

    def join(self) -> None:
        """Wait until a closed link has ended, as long as its last words may take."""
        self._thread.join(CONNECT_TIMEOUT_S)

    # In the link's own thread

    def _order(self, act: Callable[[], None]) -> None:
        done: Future[None] = Future()

        def carry_out() -> None:
            try:
                act()
            except LinkError as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        self._orders.put(carry_out)
        done.result()

    def _work(self) -> None:
        while not self._closed:
            wait_s = None if self._retry_at is None else max(0.0, self._retry_at - monotonic())
            try:
                order = self._orders.get(timeout=wait_s)
            except Empty:
                self._try_if_wanted()
            else:
                order()

    def _try_if_wanted(self) -> None:
        self._retry_at = None
        if self.is_up or not self._settings().auto_connect:
            return
        try:
            self._open()
        except LinkError as error:
            self._ears.disconnected(str(error))

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
        self._ears.connected()

    def _callbacks(self, generation: int) -> Callbacks:
        """Return what hands paho's news of one connection over to our thread."""
        orders = self._orders
        return Callbacks(
            on_message=lambda topic, payload: orders.put(lambda: self._ears.message(topic, payload)),
            on_lost=lambda reason: orders.put(lambda: self._lost(generation, reason)),
        )

    def _lost(self, generation: int, reason: str) -> None:
        if self._connection is None or generation != self._generation:
            return  # news of a connection that is no longer ours, or never was
        self._connection = None
        self._retry_at = monotonic() + retry_delay_s(1)
        self._ears.disconnected(reason)

    def _end(self) -> None:
        if not self.is_up or self._connection is None:
            raise LinkError("not connected")
        self._connection.close()

    def _shut(self) -> None:
        self._closed = True
        if self._connection is not None:
            self._connection.close()
