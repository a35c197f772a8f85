"""A userspace WireGuard device without packets: the test decides which peer was heard, and where.

It serves the cross-platform interface (https://www.wireguard.com/xplatform/) on the unix socket at which the daemon and
wg(8) expect it, and shows a link of the same name, which is a bridge.
"""

import base64
import contextlib
import os
import socket
import socketserver
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from lab.network.netns import Namespace

INITIATION_BYTES = 148  # what a handshake adds to the receive counter


@dataclass(slots=True)
class _Peer:
    endpoint: str = ""
    handshake_s: int = 0
    rx: int = 0

    def render(self, key: str) -> str:
        endpoint = f"endpoint={self.endpoint}\n" if self.endpoint else ""
        counters = f"last_handshake_time_sec={self.handshake_s}\nrx_bytes={self.rx}\ntx_bytes=0\n"
        return f"public_key={key}\n{endpoint}{counters}"


class UserspaceDevice:
    """One interface. Its peers change by `hear`, and by `wg set` of a peer's endpoint, a listen port or `remove`."""

    def __init__(self, namespace: Namespace, name: str) -> None:
        self.name = name
        self.path = namespace.sockets / f"{name}.sock"
        self._namespace = namespace
        self._peers: dict[str, _Peer] = {}
        self._listen_port = 51820
        self._lock = threading.Lock()
        self._answers = threading.Event()
        self._answers.set()
        namespace.ip(f"link add {name} type bridge", f"link set {name} up")
        before = os.umask(0o077)  # like wireguard-go's: for its owner only
        try:
            self._server = _Server(str(self.path), self)
        finally:
            os.umask(before)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name=f"device {name}", daemon=True).start()

    def hear(self, endpoints: Mapping[str, str]) -> None:
        """Receive a handshake from each of these public keys (base64), from this endpoint."""
        with self._lock:
            for key, endpoint in endpoints.items():
                peer = self._peers.setdefault(_hex(key), _Peer())
                peer.endpoint, peer.handshake_s = endpoint, int(time.time())
                peer.rx += INITIATION_BYTES

    def remove_peer(self, key: str) -> None:
        """Remove a peer (base64)."""
        with self._lock:
            self._peers.pop(_hex(key), None)

    def suspend(self) -> None:
        """Take questions and answer none, as a stopped process does."""
        self._answers.clear()

    def resume(self) -> None:
        """Answer again."""
        self._answers.set()

    def delete(self) -> None:
        """Remove the interface, as `wg-quick down` does."""
        self._namespace.ip(f"link delete {self.name}")
        self.close()

    def close(self) -> None:
        """Remove the socket and end every connection; a second call does nothing."""
        self.path.unlink(missing_ok=True)
        self._answers.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()

    def answer(self, question: str) -> str:
        """Return the answer to one question, once the device is not suspended."""
        self._answers.wait()
        with self._lock:
            if question == "get=1":
                peers = "".join(peer.render(key) for key, peer in self._peers.items())
                return f"private_key={'1' * 64}\nlisten_port={self._listen_port}\n{peers}errno=0\n\n"
            self._set(question)
        return "errno=0\n\n"

    def _set(self, question: str) -> None:
        key = ""
        for line in question.split("\n"):
            match line.partition("=")[::2]:
                case "listen_port", port:
                    self._listen_port = int(port)
                case "public_key", key:
                    self._peers.setdefault(key, _Peer())
                case "endpoint", endpoint:
                    self._peers[key].endpoint = endpoint  # nobody was heard there
                case "remove", "true":
                    del self._peers[key]


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, device: UserspaceDevice) -> None:
        self.device = device
        self.connections: set[_Connection] = set()
        super().__init__(path, _Connection)

    def close_connections(self) -> None:
        for connection in tuple(self.connections):
            connection.end()


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.connections.add(self)
        try:
            while question := self._question():
                self.wfile.write(self.server.device.answer(question).encode())
        except OSError:
            pass  # the other end, or `delete`, has closed the connection
        finally:
            self.server.connections.discard(self)

    def end(self) -> None:
        """Close it from another thread."""
        with contextlib.suppress(OSError):  # closed already
            self.connection.shutdown(socket.SHUT_RDWR)

    def _question(self) -> str:
        """Return the lines of a question without the empty one that ends it; empty at the end of the connection."""
        lines = []
        while (line := self.rfile.readline().decode()) not in {"", "\n"}:
            lines.append(line.rstrip("\n"))
        return "\n".join(lines)


def _hex(key: str) -> str:
    return base64.b64decode(key).hex()
