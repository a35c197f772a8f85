"""A broker on loopback that accepts one login and then sends what the test wants, valid or not."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CONNACK = b"\x20\x02\x00\x00"


def publish_packet(topic: bytes, payload: bytes, length: int | None = None) -> bytes:
    """Return an MQTT 3.1.1 PUBLISH at QoS 0; `length` is a false remaining length, for a packet that never ends."""
    body = len(topic).to_bytes(2, "big") + topic + payload
    left, size = len(body) if length is None else length, b""
    while True:
        left, digit = divmod(left, 128)
        size += bytes([digit | (0x80 if left else 0)])
        if not left:
            return b"\x30" + size + body


@contextmanager
def fake_broker(packets: bytes) -> Iterator[int]:
    """Give the port of a broker that sends `packets` after its CONNACK and then stays connected."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, packets), daemon=True)
        thread.start()
        port: int = server.getsockname()[1]
        yield port
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(server: socket.socket, packets: bytes) -> None:
    with contextlib.suppress(OSError):  # no client came, or it left by a reset
        client, _ = server.accept()
        with client:
            client.recv(4096)
            client.sendall(CONNACK + packets)
            while client.recv(4096):
                pass
