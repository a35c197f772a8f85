"""A model of the broker: it retains messages, and passes each one on to the clients."""

from collections.abc import Callable
from dataclasses import dataclass, field

Hear = Callable[[str, bytes], None]


@dataclass(slots=True)
class BrokerModel:
    """Retained messages and clients. A client is a name with a function that receives every message."""

    retained: dict[str, bytes] = field(default_factory=dict)
    listeners: dict[str, Hear] = field(default_factory=dict)

    def publish(self, topic: str, payload: bytes, *, is_retained: bool = True) -> None:
        """Retain a message if asked to (an empty one clears the topic), and pass it on."""
        if is_retained and payload:
            self.retained[topic] = payload
        elif is_retained:
            self.retained.pop(topic, None)
        for hear in list(self.listeners.values()):
            hear(topic, payload)
