"""`/iot/mqtt/brokers`: the brokers, each with its connection.

Arguments and their types are those of MikroTik's console reference, /iot/mqtt/brokers. A `set` takes effect at the next
connection; only auto-connect takes effect at once.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Id, Value, readable, render
from lab.routeros.menus.arguments import read_bool, read_number, read_text
from lab.routeros.menus.items import Change, Item, ItemMenu, Reader
from lab.routeros.mqtt.client import BrokerSettings, Message
from lab.routeros.mqtt.link import BrokerLink, Link, LinkEvents, MakeLink
from lab.routeros.mqtt.rules import DEFAULT_CLIENT_ID, KEEP_ALIVE_S, SCRIPTS_LIMIT
from lab.routeros.versions import is_between

_TEXTS = ("name", "address", "client-id", "username", "password", "certificate")
Topics = tuple[tuple[str, int], ...]  # topic and QoS


def broker_readers(version: str) -> Mapping[str, Reader]:
    """Return the arguments of add and set in this version."""
    readers: dict[str, Reader] = dict.fromkeys(_TEXTS, read_text)
    readers |= dict.fromkeys(("ssl", "auto-connect"), read_bool)
    readers["port"] = lambda name, value: read_number(name, value, 0, 4_294_967_295)
    readers["keep-alive"] = lambda name, value: read_number(name, value, *KEEP_ALIVE_S)
    readers["parallel-scripts-limit"] = _read_limit
    if is_between(version, since="7.20"):
        readers |= {"will-topic": read_text, "will-message": read_text, "will-retain": read_bool, "will-qos": read_qos}
    return readers


def read_qos(name: str, value: Value) -> int:
    """Return 0, 1 or 2; raises ScriptError."""
    return read_number(name, value, 0, 2)


def _read_limit(name: str, value: Value) -> Value:
    return "off" if value == "off" else read_number(name, value, *SCRIPTS_LIMIT)


class Certificates(Protocol):
    """The router's certificates, as a broker uses them."""

    def authorities(self) -> tuple[str, ...]:
        """Return the PEM texts of the trusted certificates."""
        ...

    def identity(self, name: str) -> str:
        """Return a certificate and its key as PEM; raises ScriptError."""
        ...


class BrokersMenu(ItemMenu):
    """`/iot/mqtt/brokers`; each item has a link."""

    required = ("name", "address")
    lacking = frozenset[str]()

    def __init__(
        self,
        version: str,
        certificates: Certificates,
        events: Callable[[str], LinkEvents],
        make_link: MakeLink = Link,
    ) -> None:
        super().__init__("/iot/mqtt/brokers", broker_readers(version), ("connected",))
        values: dict[str, Value] = {"port": 1883, "keep-alive": 60, "parallel-scripts-limit": "off"}
        values |= {"ssl": False, "auto-connect": False, "certificate": "none", "will-qos": 0, "will-retain": False}
        self.defaults = {name: values.get(name, "") for name in self.readers}
        self._certificates = certificates
        self._events = events
        self._make_link = make_link
        self._links: dict[Id, BrokerLink] = {}
        self.topics_of: Callable[[str], Topics] = lambda _: ()
        self.is_used: Callable[[str], bool] = lambda _: False

    def properties(self, item: Item) -> Mapping[str, Value]:
        """Return the configured properties, and whether the broker is connected."""
        link = self._links.get(item.id)
        return {".id": item.id, **item.kept, "connected": link is not None and link.is_up}

    def check(self, kept: Mapping[str, Value], item: Item | None) -> None:
        """Reject a name that another broker has, and settings that the emulator does not support."""
        self._identity(kept)
        others = (other for other in self.items.values() if other is not item)
        if any(other.kept["name"] == kept["name"] for other in others):
            raise ScriptError("failure: broker with the same name already exists")
        if ":" in render(kept["address"]):
            raise NotImplementedInEmulator("the IPv6 address of a broker: users report that it does not work")

    def added(self, item: Item) -> None:
        """Create the link, which connects by itself if auto-connect is set."""
        name = render(item.kept["name"])
        link = self._make_link(name, lambda: self.settings(item), self._events(name))
        self._links[item.id] = link
        link.wake()

    def changed(self, change: Change) -> None:
        """Apply a new auto-connect; other settings take effect at the next connection."""
        if change.item.kept["name"] != change.before["name"]:
            raise NotImplementedInEmulator(f"{self.path}/set name: the effect on its subscriptions is not known")
        self._links[change.item.id].wake()

    def removed(self, item: Item) -> None:
        """Close the link."""
        if self.is_used(render(item.kept["name"])):
            raise NotImplementedInEmulator(f"{self.path}/remove with subscriptions: the effect on them is not known")
        self._links.pop(item.id).close()

    def link(self, broker: Value) -> BrokerLink:
        """Return the link of a broker, given by name or id; raises ScriptError."""
        with self.lock:
            return self._links[self.named(broker).id]

    def links(self) -> list[BrokerLink]:
        """Return all links."""
        with self.lock:
            return list(self._links.values())

    def named(self, broker: Value) -> Item:
        """Return the broker of this name or id; raises ScriptError."""
        text = read_text("broker", broker)
        with self.lock:
            for item in self.items.values():
                if text in (item.id.text, item.kept["name"]):
                    return item
        raise ScriptError("input does not match any value of broker")

    def settings(self, item: Item) -> BrokerSettings:
        """Return the settings of the next connection."""
        with self.lock:
            kept = dict(item.kept)
        text = {name: readable(render(value)) for name, value in kept.items()}
        number = {name: value for name, value in kept.items() if isinstance(value, int)}
        will = None
        if text.get("will-topic"):
            payload = render(kept["will-message"]).encode("latin-1")
            will = Message(text["will-topic"], payload, number["will-qos"], bool(number["will-retain"]))
        return BrokerSettings(
            address=text["address"],
            port=number["port"],
            client_id=text["client-id"] or DEFAULT_CLIENT_ID,
            keep_alive_s=number["keep-alive"],
            username=text["username"],
            password=text["password"],
            will=will,
            tls=bool(number["ssl"]),
            authorities=self._certificates.authorities(),
            identity=self._identity(kept),
            auto_connect=bool(number["auto-connect"]),
            topics=self.topics_of(render(kept["name"])),
        )

    def _identity(self, kept: Mapping[str, Value]) -> str:
        """Return the client's certificate and key as PEM, an empty text for `none`; raises ScriptError."""
        name = render(kept["certificate"])
        return "" if name == "none" else self._certificates.identity(name)
