"""Floods the hub with reports of one router, each newer than the last and full of entries.

`python -m lab.probes.report_flood --host HOST --user ROUTER --topic TOPIC --rate N --bytes N KEY…`. Standard input is
one line {"password": …, "seq": …}, where `seq` is that of the router's newest table; the reports count up below it.
Their entries are about the peers KEY…, repeated up to the size. Prints one JSON line per event: flooding, then sent
{count} once a second. It ends when standard input does.
"""

import argparse
import json
import sys
import threading
import time
from itertools import cycle

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

ROOM = 1_000_000  # reports, each with a higher seq, fit below the newest table
LATE_S = 1.0  # a flood that falls behind for longer skips what it could not send


def report(seq: int, keys: list[str], size: int) -> bytes:
    """Return a valid report of about `size` bytes."""
    lines, length = list[dict[str, object]](), 120
    for number, key in enumerate(cycle(keys)):
        place = f"203.0.113.{number % 250} {1024 + number}"
        lines.append({"key": key, "did": "set", "configured": place, "current": place, "handshake_s": 1, "rx": "5"})
        length += len(json.dumps(lines[-1])) + 2
        if length > size:
            lines.pop()
            break
    body = {"v": 1, "seq": str(seq), "stage": "final", "script": "x", "error": "x" * 100, "peers": lines}
    return json.dumps(body).encode()


def emit(event: str, **data: object) -> None:
    """Print one event with the current time."""
    print(json.dumps({"t_ns": time.time_ns(), "event": event, **data}), flush=True)


def flood(client: paho.Client, topic: str, template: bytes, seq: int, rate: float) -> None:
    """Publish reports at `rate` a second until the program ends."""
    first, number, begun_s, printed_s = seq - ROOM, 0, time.monotonic(), time.monotonic()
    while True:
        payload = template.replace(str(seq).encode(), str(first + number).encode(), 1)
        client.publish(topic, payload, qos=0, retain=True)
        number += 1
        now_s = time.monotonic()
        if now_s - printed_s > 1.0:
            printed_s = now_s
            emit("sent", count=number)
        pause_s = begun_s + number / rate - now_s
        if pause_s > 0:
            time.sleep(pause_s)
        elif pause_s < -LATE_S:
            begun_s -= pause_s


def main() -> None:
    """Flood until standard input ends."""
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("host", "user", "topic"):
        arguments.add_argument(f"--{name}", required=True)
    arguments.add_argument("--port", type=int, default=1883)
    arguments.add_argument("--rate", type=float, required=True)
    arguments.add_argument("--bytes", type=int, required=True)
    arguments.add_argument("keys", nargs="+")
    given = arguments.parse_args()
    start = json.loads(sys.stdin.readline())
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"flood-{given.user}")
    client.username_pw_set(given.user, start["password"])
    client.max_queued_messages_set(0)
    client.connect(given.host, given.port)
    client.loop_start()
    emit("flooding")
    seq = int(start["seq"])
    template = report(seq, given.keys, given.bytes)
    threading.Thread(target=flood, args=(client, given.topic, template, seq, given.rate), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
