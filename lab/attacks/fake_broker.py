"""A broker that accepts each login and then sends one invalid packet: `python -m lab.attacks.fake_broker KIND…`.

For the first connection the first kind, and so on; after the last it sends nothing. Prints one JSON line per event:
listening, login {number}.
"""

import contextlib
import json
import socket
import sys
import time

from lab.attacks.raw_mqtt import CONNACK, PUBLISH, packet, publish_packet, text

ADDRESS = ("127.0.0.1", 1883)
SUBACK, PUBACK = 0x90, 0x40
PACKETS = {
    "topic": publish_packet(b"wgmqtt/\xff\xfe/report", b"x"),
    "length": packet(PUBLISH, text("a") + b"x", 1 << 28),
    "packet": packet(0xF0, b"\0\0"),
    "answers": packet(SUBACK, b"\xff\xff\x80") + packet(PUBACK, b"\xff\xff") + packet(PUBLISH | 0x06, b""),
}


def emit(event: str, **data: object) -> None:
    """Print one event with the current time."""
    print(json.dumps({"t_ns": time.time_ns(), "event": event, **data}), flush=True)


def main() -> None:
    """Serve one connection after the other until killed."""
    kinds = sys.argv[1:]
    open_connections = []
    with socket.create_server(ADDRESS) as server:
        emit("listening")
        number = 0
        while True:
            client, _ = server.accept()
            open_connections.append(client)
            with contextlib.suppress(OSError):
                client.recv(4096)
                emit("login", number=number)
                client.sendall(packet(CONNACK, b"\0\0"))
                if number < len(kinds):
                    client.sendall(PACKETS[kinds[number]])
            number += 1


if __name__ == "__main__":
    main()
