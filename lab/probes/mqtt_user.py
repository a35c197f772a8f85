"""An MQTT client: prints the messages it receives, and publishes the messages given on standard input.

`python -m lab.probes.mqtt_user --host HOST --user USER --topic TOPIC…`. The first line of standard input is
{"password": …}; each further line, {"topic": …, "payload": …, "retain": …}, is published at QoS 1. Prints one JSON line
per event: connected {reason}, subscribed, message {topic, payload, retain}, published {topic}, disconnected.
"""

import argparse
import json
import os
import sys
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode


def emit(event: str, **data: object) -> None:
    """Print one event with the current time."""
    print(json.dumps({"t_ns": time.time_ns(), "event": event, **data}), flush=True)


class User:
    """The connection of one user; paho connects again when the broker returns."""

    def __init__(self, user: str, password: str, topics: list[str], client_id: str = "") -> None:
        self._topics = topics
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id or f"lab-{user}-{os.getpid()}")
        self.client.username_pw_set(user, password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message
        self.client.on_publish = self._on_publish
        self.client.on_disconnect = self._on_disconnect
        self._topic_of: dict[int, str] = {}

    def publish(self, topic: str, payload: str, *, retain: bool) -> None:
        """Publish one message; `published` follows when the broker acknowledges it, even if it drops the message."""
        self._topic_of[self.client.publish(topic, payload, qos=1, retain=retain).mid] = topic

    def _on_connect(
        self,
        client: paho.Client,
        _data: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        emit("connected", reason=str(reason))
        if not reason.is_failure and self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(self, _client: paho.Client, _data: object, _mid: int, *_: Any) -> None:  # noqa: ANN401 - paho's
        emit("subscribed")

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        text = message.payload.decode(errors="replace")
        emit("message", topic=message.topic, payload=text, retain=message.retain)

    def _on_publish(self, _client: paho.Client, _data: object, mid: int, *_: Any) -> None:  # noqa: ANN401 - paho's
        emit("published", topic=self._topic_of.get(mid, ""))

    def _on_disconnect(self, _client: paho.Client, _data: object, *_: Any) -> None:  # noqa: ANN401 - paho's
        emit("disconnected")


def main() -> None:
    """Connect, and publish until standard input ends."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--host", required=True)
    arguments.add_argument("--port", type=int, default=1883)
    arguments.add_argument("--user", required=True)
    arguments.add_argument("--topic", action="append", default=[])
    arguments.add_argument("--client-id", default="")
    given = arguments.parse_args()
    user = User(given.user, json.loads(sys.stdin.readline())["password"], given.topic, given.client_id)
    user.client.connect_async(given.host, given.port)
    user.client.loop_start()
    for line in sys.stdin:
        command = json.loads(line)
        user.publish(command["topic"], command["payload"], retain=bool(command.get("retain")))


if __name__ == "__main__":
    main()
