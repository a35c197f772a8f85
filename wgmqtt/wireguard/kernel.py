"""Dump the peers of kernel WireGuard by generic netlink."""

import asyncio
import errno
import socket
import struct

from pyroute2 import AsyncGenericNetlinkSocket, NetlinkError
from pyroute2.netlink import ctrlmsg

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.netlink import NLM_F_DUMP, NLM_F_DUMP_INTR, decode_messages, encode_attribute, encode_message, open_netlink
from wgmqtt.wireguard.dump import Dump, InterfaceMissing, NotWireguard
from wgmqtt.wireguard.kernel_decode import DumpDecoder
from wgmqtt.wireguard.snapshot import NO_PEERS, Snapshot

ANSWER_WITHIN_S = 5.0
_BUFFER_BYTES = 1 << 16  # the kernel fills at most 32 KiB of a dump at once, and less for a smaller buffer
_RECEIVES_PER_TURN = 8  # of the event loop: about 1,400 peers, 2 ms
_RECEIVE_QUEUE_BYTES = 4 << 20
_NETLINK_GENERIC = 16  # linux/netlink.h
_WG_CMD_GET_DEVICE, _WGDEVICE_A_IFNAME = 0, 2  # linux/wireguard.h


class KernelWireguard:
    """One generic netlink socket, opened at the first dump and again after any failure."""

    def __init__(self, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._answer_within_s = answer_within_s
        self._one_at_a_time = asyncio.Lock()  # a second dump on a socket in the middle of one gets EBUSY
        self._socket: socket.socket | None = None
        self._family = 0
        self._sequence = 0
        self._buffer = bytearray(_BUFFER_BYTES)
        self._last: dict[str, Snapshot] = {}

    async def dump(self, interface: str) -> Dump:
        """Return the peers of `interface`, see `Wireguard.dump`. Needs CAP_NET_ADMIN."""
        async with self._one_at_a_time:
            try:
                return await self._dump_again_if_lost(interface)
            except OSError as error:
                raise _rejection(interface, error) from None

    def close(self) -> None:
        """Close the socket, and forget the family: a module that is loaded again has another number."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._family = None, 0
        self._last.clear()

    async def _dump_again_if_lost(self, interface: str) -> Dump:
        """Return a dump. If messages were lost (ENOBUFS, netlink(7)), retry once on a new socket."""
        try:
            return await self._dump(interface)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
        return await self._dump(interface)

    async def _dump(self, interface: str) -> Dump:
        decoder = DumpDecoder(self._last.get(interface, NO_PEERS))
        try:
            async with asyncio.timeout(self._answer_within_s):
                flags = await self._request(interface, decoder)
        except OSError as error:
            family = self._family
            self.close()  # the rest of this answer would mix with the next one
            if error.errno == errno.ENODEV:
                self._family = family  # WireGuard is there, only this interface is not
            raise
        except BaseException:
            self.close()
            raise
        self._last[interface] = decoder.snapshot
        return Dump(decoder.snapshot, not flags & NLM_F_DUMP_INTR, decoder.device)

    async def _request(self, interface: str, decoder: DumpDecoder) -> int:
        """Ask for one dump, hand each message to `decoder`, and return the flags of all of them or-ed together."""
        self._family = self._family or await _find_family("wireguard")
        opened = self._socket = self._socket or open_netlink(_NETLINK_GENERIC, _RECEIVE_QUEUE_BYTES)
        self._sequence = sequence = self._sequence % 0xFFFFFFFF + 1
        opened.send(encode_message(self._family, NLM_F_DUMP, sequence, encode_get_device(interface)))
        flags = received = 0
        while True:
            received += 1
            if received % _RECEIVES_PER_TURN == 1:
                await asyncio.sleep(0)  # a long dump must not delay anything else
            for message in decode_messages(await _receive(opened, self._buffer)):
                if message.sequence != sequence:
                    continue
                flags |= message.flags
                message.raise_error()
                if message.is_answer:
                    decoder.add(message.payload)
                if message.is_last:
                    return flags


def encode_get_device(interface: str) -> bytes:
    """Return the request for one interface's device and peers, to be put behind a netlink header."""
    generic_header = struct.pack("=BBH", _WG_CMD_GET_DEVICE, 1, 0)  # struct genlmsghdr, version 1
    return generic_header + encode_attribute(_WGDEVICE_A_IFNAME, interface.encode() + b"\0")


async def _find_family(name: str) -> int:
    """Return the number of a generic netlink family, which the kernel gives it when its module is loaded.

    Raises:
        OSError: there is no such family (ENOENT).
    """
    async with AsyncGenericNetlinkSocket() as generic:
        generic.module_err_level = "debug"  # the caller reports a missing family
        try:
            await generic.bind(name, ctrlmsg)
        except NetlinkError as error:
            raise OSError(error.code, str(error)) from None
        family: int = generic.prid
    return family


async def _receive(opened: socket.socket, buffer: bytearray) -> bytes:
    """Return one receive from the kernel, which usually has the next part of a dump ready."""
    while True:
        try:
            size, (port_id, _) = opened.recvfrom_into(buffer)
        except BlockingIOError:
            await _wait_readable(opened)
        else:
            if port_id == 0:  # the kernel; other processes can send here too
                return bytes(memoryview(buffer)[:size])


async def _wait_readable(opened: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    loop.add_reader(opened, _set_done, readable)
    try:
        await readable
    finally:
        loop.remove_reader(opened)


def _set_done(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)


_REJECTIONS: dict[int | None, tuple[type[EdgeError], str, str]] = {
    errno.ENODEV: (InterfaceMissing, "no such interface", "ip link lists the interfaces"),
    errno.EOPNOTSUPP: (NotWireguard, "the interface is not the kernel's WireGuard", ""),
    errno.ENOENT: (NotWireguard, "the kernel has no WireGuard", "modprobe wireguard"),
    errno.EPERM: (EdgeError, "not allowed to read WireGuard's peers", "needs CAP_NET_ADMIN"),
    errno.ENOBUFS: (EdgeError, "answers of the kernel were lost twice in a row", ""),
}


def _rejection(interface: str, error: OSError) -> EdgeError:
    """Return what the kernel's error means to a person."""
    if isinstance(error, TimeoutError):
        return EdgeError(Problem(interface, "the kernel did not finish a dump in time"))
    meaning, what, hint = _REJECTIONS.get(error.errno, (EdgeError, f"a dump failed: {error.strerror or error}", ""))
    return meaning(Problem(interface, what, hint=hint))
