"""A model of the broker: it retains, and gives each client the messages of the topics that it hears. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

Hear = Callable[[str, bytes], None]


@dataclass(slots=True)
class BrokerModel:
    """Topics and clients. A client is a name with a function that takes what it hears."""

    retained: dict[str, bytes] = field(default_factory=dict)
    listeners: dict[str, Hear] = field(default_factory=dict)

    def publish(self, topic: str, payload: bytes, *, is_retained: bool = True) -> None:
        """Keep a message if it is to be retained (an empty one takes the kept one away), and pass it on."""
        if is_retained and payload:
            self.retained[topic] = payload
        elif is_retained:
            self.retained.pop(topic, None)
        for hear in list(self.listeners.values()):
            hear(topic, payload)
