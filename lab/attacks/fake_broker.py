"""A broker that serves one login after the other, and sends each one invalid packet once it is ready.

`python -m lab.attacks.fake_broker KIND…`: the first kind for the first connection, and so on; after the last, none.
Prints one JSON line per event: listening, login {number}.
"""

import contextlib
import itertools
import json
import socket
import sys
import threading
import time

from lab.attacks.raw_mqtt import CONNACK, PUBLISH, SUBSCRIBE, RawClient, packet, parse_publish, publish_packet, text

ADDRESS = ("127.0.0.1", 1883)
SUBACK, PUBACK, PINGREQ, PINGRESP = 0x90, 0x40, 0xC0, 0xD0
READY_S = 1.0
PACKETS = {
    "topic": publish_packet(b"wgmqtt/\xff\xfe/report", b"x"),
    "length": packet(PUBLISH, text("a") + b"x", 1 << 28),
    "packet": packet(0xF0, b"\0\0"),
    "answers": packet(SUBACK, b"\xff\xff\x80") + packet(PUBACK, b"\xff\xff") + packet(PUBLISH | 0x06, b""),
}


def emit(event: str, **data: object) -> None:
    """Print one event with the current time."""
    print(json.dumps({"t_ns": time.time_ns(), "event": event, **data}), flush=True)


def serve(client: RawClient, invalid: bytes) -> None:
    """Serve one connection until it ends; send `invalid` a second after the client has read back its topics."""
    client.send(packet(CONNACK, b"\0\0"))
    fence = b""
    while True:
        first, body = client.read()
        kind = first & 0xF0
        if kind == SUBSCRIBE & 0xF0:
            client.send(packet(SUBACK, body[:2] + b"\1"))
        elif kind == PUBLISH:
            topic, _ = parse_publish(first, body)
            if first & 0x02:
                start = 2 + int.from_bytes(body[:2], "big")
                client.send(packet(PUBACK, body[start : start + 2]))
            if topic.endswith("/fence") and not fence:
                fence = body
                client.send(packet(PUBLISH, body))
                threading.Timer(READY_S, client.send, (invalid,)).start()
        elif kind == PINGREQ:
            client.send(packet(PINGRESP, b""))


def main() -> None:
    """Serve one connection after the other until killed."""
    kinds = sys.argv[1:]
    with socket.create_server(ADDRESS) as server:
        emit("listening")
        for number in itertools.count():
            client = RawClient.accepted(server.accept()[0])
            with contextlib.suppress(OSError):
                client.read()
                emit("login", number=number)
                serve(client, PACKETS[kinds[number]] if number < len(kinds) else b"")
            client.close()


if __name__ == "__main__":
    main()
