"""Dump the peers of userspace WireGuard (wireguard-go, boringtun) over its unix socket."""

import asyncio
import time
from pathlib import Path

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.wireguard.dump import Dump, InterfaceMissing
from wgmqtt.wireguard.snapshot import NO_PEERS, Snapshot
from wgmqtt.wireguard.userspace_text import parse_uapi

ANSWER_WITHIN_S = 5.0
SOCKETS = Path("/var/run/wireguard")  # https://www.wireguard.com/xplatform/
_CHUNK_BYTES = 1 << 18
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class UserspaceWireguard:
    """One connection per interface, opened at its first dump, kept, and opened again after any failure."""

    def __init__(self, sockets: Path = SOCKETS, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._sockets = sockets
        self._answer_within_s = answer_within_s
        self._one_at_a_time = asyncio.Lock()
        self._connections: dict[str, _Connection] = {}
        self._last: dict[str, Snapshot] = {}

    async def dump(self, interface: str) -> Dump:
        """Return the peers of `interface`, see `Wireguard.dump`. Needs the socket's owner or CAP_DAC_OVERRIDE."""
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(self._answer_within_s):
                    text = await self._request(interface)
                snapshot, device = parse_uapi(text, time.time(), self._last.get(interface, NO_PEERS))
                self._last[interface] = snapshot
                return Dump(snapshot, complete=True, device=device)
            except BaseException as error:
                self._drop(interface)
                if isinstance(error, OSError):
                    raise _rejection(str(self._path(interface)), error) from None
                raise

    def close(self) -> None:
        """Close every connection."""
        for interface in tuple(self._connections):
            self._drop(interface)

    async def _request(self, interface: str) -> str:
        """Return the answer; a kept connection that the other end has closed is opened once more."""
        kept = self._connections.get(interface)
        if kept is not None:
            try:
                return await _exchange(kept)
            except ConnectionError:
                self._drop(interface)
        fresh = self._connections[interface] = await asyncio.open_unix_connection(
            self._path(interface), limit=_CHUNK_BYTES
        )
        return await _exchange(fresh)

    def _drop(self, interface: str) -> None:
        connection = self._connections.pop(interface, None)
        if connection is not None:
            connection[1].transport.abort()

    def _path(self, interface: str) -> Path:
        return self._sockets / f"{interface}.sock"


async def _exchange(connection: _Connection) -> str:
    """Return the answer to `get=1`, which ends with an empty line."""
    reader, writer = connection
    writer.write(b"get=1\n\n")
    await writer.drain()
    answer = bytearray()
    while not answer.endswith(b"\n\n"):
        chunk = await reader.read(_CHUNK_BYTES)
        if not chunk:
            raise ConnectionResetError("closed in the middle of an answer" if answer else "closed without an answer")
        answer += chunk
    return answer.decode("ascii", "replace")


def _rejection(path: str, error: OSError) -> EdgeError:
    """Return what a socket's error means to a person."""
    match error:
        case TimeoutError():
            return EdgeError(Problem(path, "userspace WireGuard did not answer in time"))
        case FileNotFoundError():
            return InterfaceMissing(Problem(path, "no userspace WireGuard has a socket here"))
        case ConnectionRefusedError():
            return InterfaceMissing(
                Problem(path, "nobody listens on this socket", hint="the userspace WireGuard that made it has ended")
            )
        case PermissionError():
            return EdgeError(Problem(path, "not allowed to use the socket", hint="needs CAP_DAC_OVERRIDE"))
    return EdgeError(Problem(path, f"userspace WireGuard failed: {error.strerror or error}"))
