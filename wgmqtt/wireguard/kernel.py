"""Dumps of kernel WireGuard. Edge: talks to the kernel by generic netlink."""

import asyncio
import contextlib
import errno
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator

from wgmqtt.errors import DecodeError, EdgeError, Problem
from wgmqtt.wireguard.dump import Dump, InterfaceMissing, NotWireguard
from wgmqtt.wireguard.kernel_decode import NOBODY, Device, Snapshot, decode_device, family_id, merge_message

ANSWER_WITHIN_S = 5.0
_BUFFER_BYTES = 1 << 16  # the kernel fills at most 32 KiB of a dump at once, and less for a smaller buffer
_RECEIVES_A_TURN = 8  # of the event loop: about 1,400 peers, 2 ms
_RECEIVE_QUEUE_BYTES = 4 << 20
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h; the module socket has no name for it
_NETLINK_GENERIC = 16  # linux/netlink.h
_NLMSGHDR = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_MULTI, _NLM_F_DUMP_INTR, _NLM_F_DUMP = 0x01, 0x02, 0x10, 0x300
_GENL_ID_CTRL, _CTRL_CMD_GETFAMILY, _CTRL_ATTR_FAMILY_NAME = 0x10, 3, 2
_WG_CMD_GET_DEVICE, _WGDEVICE_A_IFNAME = 0, 2


class KernelWireguard:
    """One generic netlink socket, opened at the first dump and again after any failure."""

    def __init__(self, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._answer_within_s = answer_within_s
        self._one_at_a_time = asyncio.Lock()  # a second dump on a socket in mid-dump gets EBUSY
        self._socket: socket.socket | None = None
        self._family = 0
        self._sequence = 0
        self._buffer = bytearray(_BUFFER_BYTES)
        self._last: dict[str, Snapshot] = {}

    async def dump(self, interface: str) -> Dump:
        """Return the peers of `interface`, as `Wireguard.dump` says. Needs CAP_NET_ADMIN."""
        async with self._one_at_a_time:
            try:
                return await self._dump_again_when_lost(interface)
            except OSError as error:
                raise _refusal(interface, error) from None

    def close(self) -> None:
        """Close the socket, and forget the family: a module loaded again has another number."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._family = None, 0
        self._last.clear()

    async def _dump_again_when_lost(self, interface: str) -> Dump:
        """Return a dump; if messages were lost (ENOBUFS, netlink(7)), ask once more on a fresh socket."""
        try:
            return await self._dump(interface)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
        return await self._dump(interface)

    async def _dump(self, interface: str) -> Dump:
        snapshot: Snapshot = {}
        known = self._last.get(interface, NOBODY)
        devices: list[Device] = []

        def take(payload: bytes) -> None:
            if not devices and (device := decode_device(payload)):
                devices.append(device)
            merge_message(snapshot, payload, known)

        name = _attribute(_WGDEVICE_A_IFNAME, interface.encode() + b"\0")
        try:
            async with asyncio.timeout(self._answer_within_s):
                if not self._family:
                    self._family = await self._resolve_family()
                flags = await self._ask(self._family, _NLM_F_DUMP, _genl(_WG_CMD_GET_DEVICE, name), take)
        except BaseException:
            self.close()  # whatever is still under way on it would meet the next request
            raise
        self._last[interface] = snapshot
        return Dump(snapshot, not flags & _NLM_F_DUMP_INTR, devices[0] if devices else Device(None, 0))

    async def _resolve_family(self) -> int:
        answers: list[bytes] = []
        request = _genl(_CTRL_CMD_GETFAMILY, _attribute(_CTRL_ATTR_FAMILY_NAME, b"wireguard\0"))
        await self._ask(_GENL_ID_CTRL, 0, request, answers.append)
        return family_id(answers[0])

    async def _ask(self, kind: int, flags: int, body: bytes, take: Callable[[bytes], None]) -> int:
        """Send one request, hand each answer's payload to `take`, return all the answers' flags or-ed together."""
        opened = self._socket = self._socket or _open()
        self._sequence = sequence = self._sequence % 0xFFFFFFFF + 1
        header = _NLMSGHDR.pack(_NLMSGHDR.size + len(body), kind, flags | _NLM_F_REQUEST, sequence, 0)
        opened.send(header + body)
        seen = received = 0
        while True:
            received += 1
            if received % _RECEIVES_A_TURN == 1:
                await asyncio.sleep(0)  # a long dump holds up nothing else
            for answer, answer_flags, number, payload in messages(await _receive(opened, self._buffer)):
                if number != sequence:
                    continue
                seen |= answer_flags
                if answer in (_NLMSG_ERROR, _NLMSG_DONE):
                    code = -int.from_bytes(payload[:4], sys.byteorder, signed=True)
                    if code:
                        raise OSError(code, os.strerror(code))
                    return seen
                take(payload)
                if not answer_flags & _NLM_F_MULTI:
                    return seen


def messages(received: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield type, flags, sequence and payload of each netlink message in one receive (netlink(7)).

    Raises:
        DecodeError: a message is cut short: the buffer was too small, or this is not netlink.
    """
    start = 0
    while start < len(received):
        rest = len(received) - start
        length, kind, flags, sequence, _ = (
            _NLMSGHDR.unpack_from(received, start) if rest >= _NLMSGHDR.size else (0,) * 5
        )
        if not _NLMSGHDR.size <= length <= rest:
            raise DecodeError(Problem("netlink", "a message is cut short", f"16 to {rest} bytes", f"{length} bytes"))
        yield kind, flags, sequence, received[start + _NLMSGHDR.size : start + length]
        start += (length + 3) & ~3


def _open() -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_GENERIC)
    with contextlib.suppress(PermissionError):  # the usual queue holds a dump too: the kernel waits for the reader
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_QUEUE_BYTES)
    return opened


async def _receive(opened: socket.socket, buffer: bytearray) -> bytes:
    """Return one receive from the kernel, which mostly has the next part of a dump ready when it is asked."""
    while True:
        try:
            size, (port_id, _) = opened.recvfrom_into(buffer)
        except BlockingIOError:
            await _readable(opened)
        else:
            if port_id == 0:  # the kernel; other processes can send here too
                return bytes(memoryview(buffer)[:size])


async def _readable(opened: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    loop.add_reader(opened, _wake, readable)
    try:
        await readable
    finally:
        loop.remove_reader(opened)


def _wake(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)


def _genl(command: int, attributes: bytes) -> bytes:
    return struct.pack("=BBH", command, 1, 0) + attributes  # struct genlmsghdr, version 1


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


_REFUSALS: dict[int | None, tuple[type[EdgeError], str, str]] = {
    errno.ENODEV: (InterfaceMissing, "no such interface", "ip link shows what there is"),
    errno.EOPNOTSUPP: (NotWireguard, "the interface is not the kernel's WireGuard", ""),
    errno.ENOENT: (NotWireguard, "the kernel has no WireGuard", "modprobe wireguard"),
    errno.EPERM: (EdgeError, "not allowed to read WireGuard's peers", "CAP_NET_ADMIN"),
    errno.ENOBUFS: (EdgeError, "answers of the kernel were lost twice in a row", ""),
}


def _refusal(interface: str, error: OSError) -> EdgeError:
    """Return what the kernel's error means to a person."""
    if isinstance(error, TimeoutError):
        return EdgeError(Problem(interface, "the kernel did not finish a dump in time"))
    meaning, what, hint = _REFUSALS.get(error.errno, (EdgeError, f"a dump failed: {error.strerror or error}", ""))
    return meaning(Problem(interface, what, hint=hint))
