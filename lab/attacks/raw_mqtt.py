"""A client of MQTT 3.1.1 that sends what no library would: packets are built by hand, and none is answered."""

import socket
from contextlib import suppress
from typing import Self

CONNECT, CONNACK, PUBLISH, SUBSCRIBE = 0x10, 0x20, 0x30, 0x82
RETAIN, CLEAN = 0x01, 0x02
USER_AND_PASSWORD = 0xC0
KEEPALIVE_S = 600


def text(value: str | bytes) -> bytes:
    """Return a string field: two bytes of length, then the bytes, which need not be valid UTF-8."""
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def packet(first: int, body: bytes, length: int | None = None) -> bytes:
    """Return a packet with this first byte; `length` is a false remaining length."""
    left, size = len(body) if length is None else length, b""
    while True:
        left, digit = divmod(left, 128)
        size += bytes([digit | (0x80 if left else 0)])
        if not left:
            return bytes([first]) + size + body


def publish_packet(topic: str | bytes, payload: bytes, qos: int = 0, number: int = 1, *, retain: bool = False) -> bytes:
    """Return a PUBLISH packet."""
    identifier = number.to_bytes(2, "big") if qos else b""
    return packet(PUBLISH | qos << 1 | (RETAIN if retain else 0), text(topic) + identifier + payload)


class RawClient:
    """One connection to a broker."""

    def __init__(self, host: str, port: int, source: str = "", timeout_s: float = 10.0) -> None:
        address = (source, 0) if source else None
        self.socket = socket.create_connection((host, port), timeout=timeout_s, source_address=address)
        self.received = b""

    @classmethod
    def accepted(cls, connection: socket.socket) -> Self:
        """Return the other end of a connection that a client has opened."""
        made = cls.__new__(cls)
        made.socket, made.received = connection, b""
        return made

    def login(self, client_id: str, user: str, password: str, *, is_clean: bool = True) -> bool:
        """Send CONNECT; return whether the broker accepts it."""
        flags = USER_AND_PASSWORD | (CLEAN if is_clean else 0)
        head = text("MQTT") + bytes([4, flags]) + KEEPALIVE_S.to_bytes(2, "big")
        self.send(packet(CONNECT, head + text(client_id) + text(user) + text(password)))
        with suppress(OSError):
            first, body = self.read()
            return first == CONNACK and body[1:2] == b"\0"
        return False

    def subscribe(self, topic: str, qos: int) -> None:
        """Send SUBSCRIBE."""
        self.send(packet(SUBSCRIBE, b"\0\1" + text(topic) + bytes([qos])))

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def read(self) -> tuple[int, bytes]:
        """Return the first byte and the body of the next packet; raise OSError if there is none."""
        first = self._take(1)[0]
        length = shift = 0
        while True:
            digit = self._take(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                return first, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self.received) < count:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionResetError("closed by the broker")
            self.received += more
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def close(self) -> None:
        """Close the connection without DISCONNECT."""
        self.socket.close()


def parse_publish(first: int, body: bytes) -> tuple[str, bytes]:
    """Return topic and payload of a PUBLISH packet."""
    length = int.from_bytes(body[:2], "big")
    start = 2 + length + (2 if first & 0x06 else 0)
    return body[2 : 2 + length].decode(), body[start:]
