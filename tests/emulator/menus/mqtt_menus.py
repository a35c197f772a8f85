"""The menus of `/iot/mqtt` of one router, without a language: called directly, with their events."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from lab.routeros.language.call import Call
from lab.routeros.language.values import Id, Value
from lab.routeros.menus.brokers import BrokersMenu, Certificates
from lab.routeros.menus.certificate import CertificatesMenu
from lab.routeros.menus.mqtt import MqttMenu, SubscriptionsMenu
from lab.routeros.mqtt.link import LinkEvents

Event = tuple[str, object]


@dataclass(slots=True)
class Client:
    """The three menus of one router, and the events that they report."""

    brokers: BrokersMenu
    subscriptions: SubscriptionsMenu
    mqtt: MqttMenu
    events: SimpleQueue[Event]
    seen: list[Event] = field(default_factory=list)

    def add(self, port: Value, **named: Value) -> Id:
        """Add the broker `hub`."""
        values: dict[str, Value] = {"name": "hub", "address": "127.0.0.1", "port": port, "client-id": "site-a"}
        values |= {name.replace("_", "-"): value for name, value in named.items()}
        added = self.brokers.call(Call("/iot/mqtt/brokers", "add", named=values))
        assert isinstance(added, Id)
        return added

    def subscribe(self, topic: str, handler: str = "handler") -> None:
        """Add a subscription."""
        named: dict[str, Value] = {"broker": "hub", "topic": topic, "qos": 1, "on-message": handler}
        self.subscriptions.call(Call("/iot/mqtt/subscriptions", "add", named=named))

    def order(self, verb: str, **named: Value) -> None:
        """Carry out a command of /iot/mqtt itself on `hub`."""
        values = {name.replace("_", "-"): value for name, value in named.items()}
        self.mqtt.call(Call("/iot/mqtt", verb, named={"broker": "hub", **values}))

    def connected(self) -> Value:
        """Return the property."""
        return self.brokers.call(Call("/iot/mqtt/brokers", "get", ("hub", "connected")))

    def wait_for(self, kind: str, timeout_s: float = 5.0) -> object:
        """Return the fields of the next event of this kind."""
        given_up = time.monotonic() + timeout_s
        while (left := given_up - time.monotonic()) > 0:
            try:
                event = self.events.get(timeout=left)
            except Empty:
                break
            self.seen.append(event)
            if event[0] == kind:
                return event[1]
        raise TimeoutError(f"no {kind}; there was {self.seen}")


@contextmanager
def new_client(version: str = "7.20.8", certificates: Certificates | None = None) -> Iterator[Client]:
    """Yield the menus; close their links at the end."""
    events: SimpleQueue[Event] = SimpleQueue()
    brokers = BrokersMenu(
        version,
        certificates or CertificatesMenu(Path()),
        lambda broker: LinkEvents(
            lambda: events.put(("connected", broker)),
            lambda reason: events.put(("disconnected", reason)),
            lambda topic, payload: events.put(("message", (topic, payload))),
        ),
    )
    mqtt = MqttMenu(brokers, version, lambda kind, fields: events.put((kind, fields)))
    yield Client(brokers, SubscriptionsMenu(brokers), mqtt, events)
    for link in brokers.links():
        link.close()
        link.join()
