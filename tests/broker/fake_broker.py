"""A broker on loopback that accepts one login and then sends what the test wants, valid or not."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CONNACK = b"\x20\x02\x00\x00"
PUBLISH = 0x30


def publish_packet(topic: bytes, payload: bytes, length: int | None = None) -> bytes:
    """Return an MQTT 3.1.1 PUBLISH at QoS 0; `length` is a false remaining length, for a packet that never ends."""
    body = len(topic).to_bytes(2, "big") + topic + payload
    left, size = len(body) if length is None else length, b""
    while True:
        left, digit = divmod(left, 128)
        size += bytes([digit | (0x80 if left else 0)])
        if not left:
            return bytes([PUBLISH]) + size + body


@contextmanager
def fake_broker(packets: bytes, before_echo: bytes = b"", after_echo: bytes = b"") -> Iterator[int]:
    """Give the port of a broker that sends `packets` after its CONNACK and then stays connected.

    It sends back the first message that the client publishes, between the other two.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = (server, CONNACK + packets, before_echo, after_echo)
        thread = threading.Thread(target=_serve, args=arguments, daemon=True)
        thread.start()
        port: int = server.getsockname()[1]
        yield port
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(server: socket.socket, packets: bytes, before_echo: bytes, after_echo: bytes) -> None:
    with contextlib.suppress(OSError):  # no client came, or it left by a reset
        client, _ = server.accept()
        with client:
            client.recv(4096)
            client.sendall(packets)
            received = b""
            while data := client.recv(4096):
                received += data
                message = _message(received)
                if message:
                    client.sendall(before_echo + message + after_echo)
                    received = b""


def _message(received: bytes) -> bytes:
    """Return the first PUBLISH at QoS 0 among these packets, all shorter than 128 bytes; empty if there is none."""
    while len(received) > 1 and len(received) >= (end := 2 + received[1]):
        if received[0] & 0xF6 == PUBLISH:
            return received[:end]
        received = received[end:]
    return b""
