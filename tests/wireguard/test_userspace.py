"""Dumps from a small real server on a unix socket: it answers, hangs, stops halfway, restarts, is gone."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from wgmqtt.errors import DecodeError, EdgeError
from wgmqtt.model import PublicKey
from wgmqtt.wireguard.dump import InterfaceMissing
from wgmqtt.wireguard.snapshot import Device, peer_state
from wgmqtt.wireguard.userspace import UserspaceWireguard

ANSWER = f"private_key={'1' * 64}\nlisten_port=51820\npublic_key={'ab' * 32}\nendpoint=203.0.113.7:4242\nerrno=0\n\n"
KEYS = [b"\xab" * 32]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A userspace WireGuard that answers with `serve`; `connections` counts its clients."""

    def __init__(self, serve: Serve) -> None:
        self.connections = 0
        self._serve = serve

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.transport.abort()

    @contextlib.asynccontextmanager
    async def on(self, sockets: Path) -> AsyncIterator[None]:
        """Listen for wg0."""
        server = await asyncio.start_unix_server(self._accept, sockets / "wg0.sock")
        try:
            yield
        finally:
            server.close()


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request, in two parts."""
    while await reader.readuntil(b"\n\n") == b"get=1\n\n":
        writer.write(ANSWER[:100].encode())
        await asyncio.sleep(0.001)
        writer.write(ANSWER[100:].encode())


async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\n\n")
    writer.write(ANSWER.encode())
    await writer.drain()


async def answer_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\n\n")
    writer.write(ANSWER[:100].encode())
    await writer.drain()


async def answer_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\n\n")
    await reader.read()


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\n\n")
    writer.write(b"errno=-22\n\n")
    await reader.read()


def test_dump_keeps_its_connection(tmp_path: Path) -> None:
    server, wireguard = Server(answer_all), UserspaceWireguard(tmp_path)

    async def scenario() -> None:
        async with server.on(tmp_path):
            for _ in range(3):
                dump = await wireguard.dump("wg0")
                assert (list(dump.snapshot), dump.complete, dump.device) == (KEYS, True, Device(None, 51820))
            wireguard.close()

    asyncio.run(scenario())
    assert server.connections == 1


def test_concurrent_dumps_wait_for_each_other(tmp_path: Path) -> None:
    server, wireguard = Server(answer_all), UserspaceWireguard(tmp_path)

    async def scenario() -> None:
        async with server.on(tmp_path):
            dumps = await asyncio.gather(*(wireguard.dump("wg0") for _ in range(5)))
            assert [list(dump.snapshot) for dump in dumps] == [KEYS] * 5
            wireguard.close()

    asyncio.run(scenario())
    assert server.connections == 1


def test_dump_after_the_other_end_closed_connects_again(tmp_path: Path) -> None:
    server, wireguard = Server(answer_once), UserspaceWireguard(tmp_path)

    async def scenario() -> None:
        async with server.on(tmp_path):
            for _ in range(3):
                assert list((await wireguard.dump("wg0")).snapshot) == KEYS
                await asyncio.sleep(0.01)
            wireguard.close()

    asyncio.run(scenario())
    assert server.connections == 3


def test_dump_of_a_hung_daemon_times_out_and_recovers(tmp_path: Path) -> None:
    wireguard = UserspaceWireguard(tmp_path, answer_within_s=0.1)

    async def scenario() -> None:
        async with Server(answer_nothing).on(tmp_path):
            before = time.monotonic()
            with pytest.raises(EdgeError, match="did not answer in time"):
                await wireguard.dump("wg0")
            assert time.monotonic() - before < 1
        (tmp_path / "wg0.sock").unlink(missing_ok=True)
        async with Server(answer_all).on(tmp_path):
            assert list((await wireguard.dump("wg0")).snapshot) == KEYS
            wireguard.close()

    asyncio.run(scenario())


def test_cancelled_dump_does_not_mix_two_answers(tmp_path: Path) -> None:
    """The rest of the first answer comes on a connection that is not read any more."""
    server, wireguard = Server(answer_all), UserspaceWireguard(tmp_path)

    async def scenario() -> None:
        async with server.on(tmp_path):
            await wireguard.dump("wg0")
            cancelled = asyncio.create_task(wireguard.dump("wg0"))
            await asyncio.sleep(0)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
            assert list((await wireguard.dump("wg0")).snapshot) == KEYS
            wireguard.close()

    asyncio.run(scenario())
    assert server.connections == 2


@pytest.mark.parametrize(
    ("serve", "error", "message"),
    [(answer_half, EdgeError, "closed in the middle of an answer"), (refuse, DecodeError, "errno=-22")],
)
def test_dump_with_a_bad_answer_raises(tmp_path: Path, serve: Serve, error: type[Exception], message: str) -> None:
    async def scenario() -> None:
        async with Server(serve).on(tmp_path):
            with pytest.raises(error, match=message):
                await UserspaceWireguard(tmp_path).dump("wg0")

    asyncio.run(scenario())


def test_dump_without_a_socket_raises_interface_missing(tmp_path: Path) -> None:
    with pytest.raises(InterfaceMissing, match="no userspace WireGuard has a socket here"):
        asyncio.run(UserspaceWireguard(tmp_path).dump("wg0"))


def test_dump_of_a_socket_left_behind_raises_interface_missing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(tmp_path / "wg0.sock"))
    with pytest.raises(InterfaceMissing, match="nobody listens"):
        asyncio.run(UserspaceWireguard(tmp_path).dump("wg0"))


BORINGTUN = (
    f"own_public_key={'cd' * 32}\nlisten_port=51820\npublic_key={'ab' * 32}\nendpoint=203.0.113.7:4242\n"
    "last_handshake_time_sec={age}\nlast_handshake_time_nsec=0\nrx_bytes=148\ntx_bytes=92\nerrno=0\n\n"
)


def test_dumps_of_boringtun_have_port_key_and_a_recent_handshake_that_stays(tmp_path: Path) -> None:
    """It begins with its own key, and says how old a handshake is; the hub's hints need the port."""
    began_s, ages = time.time(), iter((30, 30, 31))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\n\n"):
            writer.write(BORINGTUN.format(age=next(ages)).encode())

    async def scenario() -> None:
        async with Server(answer).on(tmp_path):
            wireguard = UserspaceWireguard(tmp_path)
            first, second = [await wireguard.dump("wg0") for _ in range(2)]
            assert first.device == Device(PublicKey(b"\xcd" * 32), 51820)
            handshake_s = peer_state(KEYS[0], first.snapshot[KEYS[0]]).handshake_s
            assert began_s - 31 < handshake_s <= time.time() - 30
            assert second.snapshot == first.snapshot
            wireguard.close()

    asyncio.run(scenario())
