"""Subscribes to the tables of many routers, each with the router's own account.

`python -m lab.probes.subscribers --host HOST --secrets FOLDER --prefix PREFIX ROUTER…`. Prints `subscribed` once all
are, and one JSON line per table in order of arrival: table {router, payload}.
"""

import argparse
import json
import selectors
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


def emit(event: str, t_ns: int, **data: object) -> None:
    """Print one event."""
    sys.stdout.write(json.dumps({"t_ns": t_ns, "event": event, **data}) + "\n")
    sys.stdout.flush()


def connect(name: str, password: str, host: str) -> paho.Client:
    """Return a client that has sent its login; nothing has been read yet."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"lab-{name}")
    client.username_pw_set(name, password)
    client.connect(host)
    return client


def main() -> None:
    """Subscribe, and print tables until killed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--host", required=True)
    arguments.add_argument("--secrets", type=Path, required=True)
    arguments.add_argument("--prefix", required=True)
    arguments.add_argument("routers", nargs="+")
    given = arguments.parse_args()
    waiting = selectors.DefaultSelector()
    tables: list[tuple[int, str, bytes]] = []
    subscribed: set[str] = set()
    for name in given.routers:
        client = connect(name, (given.secrets / f"{name}.password").read_text().strip(), given.host)
        topic = f"{given.prefix}/{name}/endpoints"
        client.on_connect = lambda client, *_, topic=topic: client.subscribe(topic, 1)
        client.on_subscribe = lambda *_, name=name: subscribed.add(name)
        client.on_message = lambda _client, _data, got, name=name: tables.append((time.time_ns(), name, got.payload))
        opened = client.socket()
        assert opened is not None, "connect() opened it"
        waiting.register(opened, selectors.EVENT_READ, client)
    is_reported = False
    while True:
        for key, _ in waiting.select(1.0):
            key.data.loop_read()
            key.data.loop_write()  # answers at QoS 1
            key.data.loop_misc()
        if len(subscribed) == len(given.routers) and not is_reported:
            emit("subscribed", time.time_ns())
            is_reported = True
        # Tables are printed after everything that arrived was read, so that printing does not delay later ones.
        while tables:
            t_ns, name, payload = tables.pop(0)
            emit("table", t_ns, router=name, payload=payload.decode())


if __name__ == "__main__":
    main()
