"""Hints: packets from endpoints that WireGuard does not have yet, reported by the kernel through NFLOG.

They come from an nftables table of the daemon's own. CAP_NET_ADMIN is all that table and socket need.
"""

import asyncio
import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable

from wgmqtt.engine.events import Event, HintsActive, HintsUnavailable
from wgmqtt.errors import EdgeError, Problem
from wgmqtt.netlink import NLMSG_ERROR, decode_messages, open_netlink
from wgmqtt.watch.known_endpoints import KnownEndpoints
from wgmqtt.watch.nflog import PACKET, Hint, decode_packet, encode_binding
from wgmqtt.watch.nftables import Nftables
from wgmqtt.watch.ruleset import Change, render_change, render_check, render_table, table_name
from wgmqtt.wireguard.snapshot import Differences

GROUPS = range(51820, 51828)
"""NFLOG groups, tried in turn: each has one listener in a network namespace, and small numbers are in use by others."""
EXPIRE_S = 10.0
UPDATE_DELAY_S = 0.005
RETRY_S = 60.0
_NETLINK_NETFILTER = 12  # linux/netlink.h
_RECEIVE_QUEUE_BYTES = 1 << 20
_BUFFER_BYTES = 4096
_PACKETS_PER_TURN = 32  # of the event loop
_PAUSE_S = 0.05  # after a full turn: a flood costs twenty turns a second, and a burst of polls is under way anyway

Listener = Callable[[Hint | None], None]


class Hints:
    """One table and one socket for all interfaces. `keep` runs while hints are wanted; `works` says if they work."""

    def __init__(self, hub: str, post: Callable[[Event], None], opener: Callable[[], Nftables]) -> None:
        self._hub = hub
        self._opener = opener
        self._post = post
        self._known = KnownEndpoints()
        self._listeners: dict[str, Listener] = {}
        self._changed = asyncio.Event()
        self._check_is_due = False
        self.works = False

    def listen(self, interface: str, listener: Listener) -> None:
        """Call `listener` for each hint at the port of `interface`; with None if hints were lost or began to work."""
        self._listeners[interface] = listener

    def learn(self, interface: str, port: int, found: Differences) -> None:
        """Take in what changed in a dump of `interface`; the table follows in a later turn of the loop."""
        self._known.update(interface, port, found, time.time())
        self._changed.set()

    def lack_port(self, interface: str) -> None:
        """Report that an interface listens on no port, if none does: then no packet can be recognized."""
        if not self._known.has_ports:
            self._post(HintsUnavailable(f"{interface} listens on no port"))

    def forget(self, interface: str) -> None:
        """Drop an interface that is gone or has no port."""
        self._known.forget(interface)
        self._changed.set()

    def check_table(self) -> None:
        """Check soon whether the table still exists: a peer moved and no hint announced it."""
        self._check_is_due = True
        self._changed.set()

    async def keep(self) -> None:
        """Keep table and socket until cancelled. If they fail, make them again at once; if that fails, each minute."""
        await self._changed.wait()  # no endpoint is known before the first dump
        while True:
            try:
                await self._serve()
            except EdgeError as error:
                failed_at_once = not self.works
                self._set_works(works=False)
                if failed_at_once:
                    self._post(HintsUnavailable(str(error)))
                    await asyncio.sleep(RETRY_S)

    async def _serve(self) -> None:
        """Make table and socket, and keep the table up to date.

        Raises:
            EdgeError: nftables or NFLOG failed.
        """
        with contextlib.closing(_open_nflog()) as packets:
            group = _bind(packets)
            table = table_name(self._hub, group)
            nftables = self._opener()
            try:
                self._known.start_over()
                await nftables.run(render_table(table, group, has_owner=nftables.has_owner))
                await _apply(nftables, table, self._known.drain())
                self._resume(packets)
                self._set_works(works=True)
                self._post(HintsActive(table, group, nftables.has_owner))
                while True:
                    await self._update(nftables, table)
            finally:
                asyncio.get_running_loop().remove_reader(packets)
                nftables.close(table)

    async def _update(self, nftables: Nftables, table: str) -> None:
        """Wait until the known endpoints changed, or some may have expired; then update the table."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EXPIRE_S):
                await self._changed.wait()
        # The tables for the routers are on their way now, and an update takes as long as sending them.
        await asyncio.sleep(UPDATE_DELAY_S)
        self._changed.clear()
        if self._check_is_due:
            self._check_is_due = False
            await nftables.run(render_check(table))
        self._known.expire(time.time())
        await _apply(nftables, table, self._known.drain())

    def _set_works(self, *, works: bool) -> None:
        """Note whether hints work; every interface is polled at once for what happened meanwhile."""
        self.works = works
        for listener in self._listeners.values():
            listener(None)

    def _read(self, packets: socket.socket) -> None:
        """Pass on what has come. A flood is left in the socket for a while; if the socket overflows, that is a hint."""
        for _ in range(_PACKETS_PER_TURN):
            try:
                received = packets.recv(_BUFFER_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._dispatch(None)
            else:
                for message in decode_messages(received):
                    if message.kind == PACKET:
                        self._dispatch(decode_packet(message.payload))
        loop = asyncio.get_running_loop()
        loop.remove_reader(packets)
        loop.call_later(_PAUSE_S, self._resume, packets)

    def _resume(self, packets: socket.socket) -> None:
        if packets.fileno() >= 0:
            asyncio.get_running_loop().add_reader(packets, self._read, packets)

    def _dispatch(self, hint: Hint | None) -> None:
        if hint and self._known.holds(hint.listen_port, hint.source):
            return  # reported before the table was updated
        names = self._known.interfaces(hint.listen_port) if hint else list(self._listeners)
        for name in names:
            self._listeners[name](hint)


async def _apply(nftables: Nftables, table: str, change: Change) -> None:
    for commands in render_change(table, change):
        await nftables.run(commands)
        await asyncio.sleep(0)


def _open_nflog() -> socket.socket:
    try:
        return open_netlink(_NETLINK_NETFILTER, _RECEIVE_QUEUE_BYTES)
    except OSError as error:
        raise EdgeError(Problem("NFLOG", f"no socket: {error.strerror or error}")) from None


def _bind(packets: socket.socket) -> int:
    """Bind to the first group that no other process has, and return it.

    Raises:
        EdgeError: the kernel gives this process no group.
    """
    code = 0
    for group in GROUPS:
        packets.send(encode_binding(group, group))
        code = _acknowledged(packets)
        if not code:
            return group
        if code not in (errno.EPERM, errno.EBUSY):  # EPERM: another process has the group, or no permission at all
            break
    hint = "needs CAP_NET_ADMIN" if code == errno.EPERM else "modprobe nfnetlink_log"
    raise EdgeError(Problem("NFLOG", f"no group: {os.strerror(code)}", hint=hint))


def _acknowledged(packets: socket.socket) -> int:
    """Return the error number in the kernel's answer, 0 for none; the answer is there when `send` returns."""
    while True:
        for message in decode_messages(packets.recv(_BUFFER_BYTES)):
            if message.kind == NLMSG_ERROR:
                return message.error_number
