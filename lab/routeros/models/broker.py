"""An MQTT broker in memory, and the links to it.

It stores retained messages and delivers them at each new connection, as a real broker does with a clean session.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from lab.routeros.models.clock import ModelClock
from lab.routeros.mqtt.client import BrokerSettings, LinkError, Message
from lab.routeros.mqtt.link import LinkEvents
from lab.routeros.mqtt.rules import matches, retry_delay_s


@dataclass(slots=True)
class ModelBroker:
    """The broker: its messages, its links, and the settings of each connection."""

    clock: ModelClock
    is_up: bool = True
    retained: dict[str, bytes] = field(default_factory=dict)
    published: list[Message] = field(default_factory=list)
    arrivals: list[BrokerSettings] = field(default_factory=list)
    links: "list[ModelLink]" = field(default_factory=list)

    def make_link(self, name: str, settings: Callable[[], BrokerSettings], events: LinkEvents) -> "ModelLink":
        """Return a link of a router to this broker (`mqtt.link.MakeLink`)."""
        link = ModelLink(self, name, settings, events)
        self.links.append(link)
        return link

    def publish(self, message: Message) -> None:
        """Receive a message: store it if it is retained, and deliver it."""
        self.published.append(message)
        if message.retain:
            self.retained[message.topic] = message.payload
        for link in self.links:
            link.take(message.topic, message.payload)


class ModelLink:
    """A router's link to the broker (`mqtt.link.BrokerLink`)."""

    def __init__(
        self, broker: ModelBroker, name: str, settings: Callable[[], BrokerSettings], events: LinkEvents
    ) -> None:
        self.name = name
        self._broker = broker
        self._settings = settings
        self._events = events
        self._topics: tuple[str, ...] | None = None

    @property
    def is_up(self) -> bool:
        """Return whether there is a connection."""
        return self._topics is not None

    def wake(self) -> None:
        """Connect soon if auto-connect is set and there is no connection."""
        self._broker.clock.after(0, self._connect_if_automatic)

    def connect(self) -> None:
        """Connect; raises LinkError."""
        if self.is_up:
            return
        if not self._broker.is_up:
            self._broker.clock.after(retry_delay_s(1), self._connect_if_automatic)
            raise LinkError("no answer from the broker")
        settings = self._settings()
        self._broker.arrivals.append(settings)
        self._topics = tuple(topic for topic, _ in settings.topics)
        self._events.connected()
        for topic, payload in list(self._broker.retained.items()):
            self.take(topic, payload)

    def disconnect(self) -> None:
        """Close the connection; raises LinkError if there is none."""
        if not self.is_up:
            raise LinkError("not connected")
        self._lose("Normal disconnection")

    def publish(self, message: Message) -> None:
        """Publish; raises LinkError if there is no connection."""
        if not self.is_up:
            raise LinkError("not connected")
        self._broker.publish(message)

    def take(self, topic: str, payload: bytes) -> None:
        """Deliver a message to the router if it has subscribed to the topic."""
        if self._topics is not None and any(matches(wanted, topic) for wanted in self._topics):
            self._events.message(topic, payload)

    def cut(self) -> None:
        """Break the connection."""
        if self.is_up:
            self._lose("Unspecified error")

    def close(self) -> None:
        """Close the link."""
        self._topics = None
        if self in self._broker.links:
            self._broker.links.remove(self)

    def join(self) -> None:
        """Do nothing: there is no thread."""

    def _lose(self, reason: str) -> None:
        self._topics = None
        self._broker.clock.after(retry_delay_s(1), self._connect_if_automatic)
        self._events.disconnected(reason)

    def _connect_if_automatic(self) -> None:
        if self.is_up or self not in self._broker.links or not self._settings().auto_connect:
            return
        try:
            self.connect()
        except LinkError as error:
            self._events.disconnected(str(error))
