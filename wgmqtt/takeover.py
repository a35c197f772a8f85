"""Ends a router's own session at the broker, by a connection with its client-id. Edge: talks to the broker.

Source: MQTT 3.1.1, MQTT-3.1.4-2: a second client with the same id makes the broker disconnect the first one. The
router's will is published, and the router connects anew by itself.
"""

import threading

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from wgmqtt.mqtt import Login, make_client

PATIENCE_S = 5.0


def replace_session(login: Login) -> None:
    """Connect with the client-id of `login` and leave at once. Blocks for some milliseconds, at most `PATIENCE_S`."""
    done = threading.Event()
    client = make_client(login)

    def on_connect(
        _client: paho.Client, _data: object, _flags: paho.ConnectFlags, _code: ReasonCode, _more: Properties | None
    ) -> None:
        done.set()

    client.on_connect = on_connect
    client.loop_start()
    done.wait(PATIENCE_S)
    client.disconnect()
    client.loop_stop()
