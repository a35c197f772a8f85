"""An MQTT broker in memory, and the links to it. Pure.

It keeps retained messages and hands them over at each new connection, as the real one does with a clean session.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from lab.routeros.models.clock import ModelClock
from lab.routeros.mqtt.client import BrokerSettings, LinkError, Message
from lab.routeros.mqtt.link import Ears
from lab.routeros.mqtt.rules import matches, retry_delay_s


@dataclass(slots=True)
class ModelBroker:
    """The broker: what it has, who is connected, and the settings with which they came."""

    clock: ModelClock
    is_up: bool = True
    retained: dict[str, bytes] = field(default_factory=dict)
    published: list[Message] = field(default_factory=list)
    arrivals: list[BrokerSettings] = field(default_factory=list)
    links: "list[ModelLink]" = field(default_factory=list)

    def make_link(self, name: str, settings: Callable[[], BrokerSettings], ears: Ears) -> "ModelLink":
        """Return a link of a router to this broker (`mqtt_link.MakeLink`)."""
        link = ModelLink(self, name, settings, ears)
        self.links.append(link)
        return link

    def publish(self, message: Message) -> None:
        """Take a message: keep it if it is retained, hand it on."""
        self.published.append(message)
        if message.retain:
            self.retained[message.topic] = message.payload
        for link in self.links:
            link.take(message.topic, message.payload)


class ModelLink:
    """A router's link to the broker (`mqtt_link.BrokerLink`)."""

    def __init__(self, broker: ModelBroker, name: str, settings: Callable[[], BrokerSettings], ears: Ears) -> None:
        self.name = name
        self._broker = broker
        self._settings = settings
        self._ears = ears
        self._topics: tuple[str, ...] | None = None

    @property
    def is_up(self) -> bool:
        """Return whether the connection stands."""
        return self._topics is not None

    def wake(self) -> None:
        """Connect soon if auto-connect is set and there is no connection."""
        self._broker.clock.after(0, self._try_if_wanted)

    def connect(self) -> None:
        """Connect; raises LinkError."""
        if self.is_up:
            return
        if not self._broker.is_up:
            self._broker.clock.after(retry_delay_s(1), self._try_if_wanted)
            raise LinkError("no answer from the broker")
        settings = self._settings()
        self._broker.arrivals.append(settings)
        self._topics = tuple(topic for topic, _ in settings.topics)
        self._ears.connected()
        for topic, payload in list(self._broker.retained.items()):
            self.take(topic, payload)

    def disconnect(self) -> None:
        """End the connection; raises LinkError if there is none."""
        if not self.is_up:
            raise LinkError("not connected")
        self._lose("Normal disconnection")

    def publish(self, message: Message) -> None:
        """Publish; raises LinkError if there is no connection."""
        if not self.is_up:
            raise LinkError("not connected")
        self._broker.publish(message)

    def take(self, topic: str, payload: bytes) -> None:
        """Hand a message to the router if it has subscribed to it."""
        if self._topics is not None and any(matches(wanted, topic) for wanted in self._topics):
            self._ears.message(topic, payload)

    def cut(self) -> None:
        """Break the connection."""
        if self.is_up:
            self._lose("Unspecified error")

    def close(self) -> None:
        """End the link."""
        self._topics = None
        if self in self._broker.links:
            self._broker.links.remove(self)

    def join(self) -> None:
        """Do nothing: there is no thread."""

    def _lose(self, reason: str) -> None:
        self._topics = None
        self._broker.clock.after(retry_delay_s(1), self._try_if_wanted)
        self._ears.disconnected(reason)

    def _try_if_wanted(self) -> None:
        if self.is_up or self not in self._broker.links or not self._settings().auto_connect:
            return
        try:
            self.connect()
        except LinkError as error:
            self._ears.disconnected(str(error))
