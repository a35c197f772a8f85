"""`/iot/mqtt` and its subscriptions: connect, disconnect, publish.

Arguments and their types are those of MikroTik's console reference, behaviour is that of the manual, page MQTT. The
list of received messages (`recv`), `subscribe`, `unsubscribe` and `monitor-data` are not implemented.
"""

from collections.abc import Mapping

from lab.routeros.events import Emit
from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Nothing, Value, readable, render
from lab.routeros.menus.arguments import read_bool, read_text
from lab.routeros.menus.brokers import BrokersMenu, Topics, read_qos
from lab.routeros.menus.items import Change, Item, ItemMenu, Reader
from lab.routeros.mqtt.client import LinkError, Message
from lab.routeros.mqtt.link import BrokerLink
from lab.routeros.mqtt.rules import choose_handler, is_topic_filter, is_topic_name, message_limit_bytes


class SubscriptionsMenu(ItemMenu):
    """`/iot/mqtt/subscriptions`. A subscription added to a connected broker takes effect at the next connection."""

    required = ("broker", "topic")
    lacking = frozenset[str]()
    defaults: Mapping[str, Value] = {"qos": 0, "on-message": ""}

    def __init__(self, brokers: BrokersMenu) -> None:
        readers: dict[str, Reader] = {"topic": read_text, "qos": read_qos, "on-message": read_text}
        readers["broker"] = lambda _, value: brokers.named(value).kept["name"]
        super().__init__("/iot/mqtt/subscriptions", readers)
        brokers.topics_of = self._topics
        brokers.is_used = lambda broker: bool(self._of(broker))

    def check(self, kept: Mapping[str, Value], item: Item | None) -> None:
        """Reject a topic with a wildcard in the wrong place, and a second subscription to the same topic."""
        if not is_topic_filter(render(kept["topic"])):
            raise ScriptError("invalid value for argument topic")
        same = [other for other in self._of(render(kept["broker"])) if other.kept["topic"] == kept["topic"]]
        if any(other is not item for other in same):
            raise NotImplementedInEmulator(f"{self.path}: two subscriptions to one topic of one broker")

    def added(self, item: Item) -> None:
        """Do nothing: the next connection subscribes."""

    def changed(self, change: Change) -> None:
        """Do nothing: a new handler is used at once, a new topic from the next connection on."""

    def removed(self, item: Item) -> None:
        """Do nothing: the broker continues to send, and no handler runs."""

    def chosen(self, broker: str, topic: str) -> Item | None:
        """Return the subscription whose handler runs for a message, None if there is none."""
        return choose_handler(self._of(broker), lambda item: readable(render(item.kept["topic"])), topic)

    def _of(self, broker: str) -> list[Item]:
        with self.lock:
            return [item for item in self.items.values() if item.kept["broker"] == broker]

    def _topics(self, broker: str) -> Topics:
        wanted = [(readable(render(item.kept["topic"])), item.kept["qos"]) for item in self._of(broker)]
        return tuple((topic, qos) for topic, qos in wanted if isinstance(qos, int))


class MqttMenu:
    """`/iot/mqtt` itself: connect, disconnect and publish."""

    def __init__(self, brokers: BrokersMenu, version: str, emit: Emit) -> None:
        self._brokers = brokers
        self._version = version
        self._emit = emit

    def call(self, call: Call) -> Value:
        """Carry out one command."""
        verbs = {"connect": self._connect, "disconnect": self._disconnect, "publish": self._publish}
        if call.verb not in verbs or call.unnamed or call.flags:
            raise NotImplementedInEmulator(f"/iot/mqtt/{call.verb} with {len(call.unnamed)} unnamed values")
        if "broker" not in call.named:
            raise ScriptError("missing value(s) of argument(s) broker")
        link = self._brokers.link(call.named["broker"])
        try:
            verbs[call.verb](link, call.named)
        except LinkError as error:
            raise ScriptError(f"failure: {error}") from error
        return Nothing()

    def _connect(self, link: BrokerLink, _named: Mapping[str, Value]) -> None:
        if link.is_up:
            raise LinkError("already connected")
        link.connect()

    def _disconnect(self, link: BrokerLink, _named: Mapping[str, Value]) -> None:
        link.disconnect()

    def _publish(self, link: BrokerLink, named: Mapping[str, Value]) -> None:
        missing = [name for name in ("message", "topic") if name not in named]
        if missing:
            raise ScriptError(f"missing value(s) of argument(s) {' '.join(missing)}")
        message = self._read_message(named)
        try:
            if read_bool("force", named.get("force", True)) and not link.is_up:
                link.connect()
            link.publish(message)
        except LinkError:
            self._report(message, ok=False)
            raise
        self._report(message, ok=True)
        if read_bool("disconnect-after", named.get("disconnect-after", False)):
            link.disconnect()

    def _read_message(self, named: Mapping[str, Value]) -> Message:
        topic = readable(read_text("topic", named["topic"]))
        payload = read_text("message", named["message"]).encode("latin-1")
        if not is_topic_name(topic):
            raise ScriptError("invalid value for argument topic")
        if len(payload) > message_limit_bytes(self._version):
            raise ScriptError("value of message too long")
        qos, retain = read_qos("qos", named.get("qos", 0)), read_bool("retain", named.get("retain", False))
        return Message(topic, payload, qos, retain)

    def _report(self, message: Message, *, ok: bool) -> None:
        payload = message.payload.decode("utf-8", "backslashreplace")
        self._emit("publish", {"topic": message.topic, "ok": ok, "bytes": len(message.payload), "payload": payload})
