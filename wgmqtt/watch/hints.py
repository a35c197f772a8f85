"""Hints: packets from endpoints that WireGuard does not have yet. Edge: talks to NFLOG and to the nftables table.

linux/netfilter/nfnetlink_log.h. CAP_NET_ADMIN is all it needs.
"""

import asyncio
import contextlib
import errno
import os
import socket
import sys
import time
from collections.abc import Callable

from wgmqtt.engine.events import Event, HintsActive, HintsUnavailable
from wgmqtt.errors import EdgeError, Problem
from wgmqtt.watch.known_endpoints import Known
from wgmqtt.watch.nflog import PACKET, Hint, decode_packet, encode_binding
from wgmqtt.watch.nftables import Nftables
from wgmqtt.watch.ruleset import Change, render_change, render_check, render_table, table_name
from wgmqtt.wireguard.kernel import messages
from wgmqtt.wireguard.kernel_decode import Differences

GROUPS = range(51820, 51828)
"""NFLOG groups that are tried in turn: each has one listener in a network namespace, and small numbers are others'."""
EXPIRE_S = 10.0
LEARN_PAUSE_S = 0.005
RETRY_S = 60.0
_NETLINK_NETFILTER = 12  # linux/netlink.h
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h
_RECEIVE_QUEUE_BYTES = 1 << 20
_BUFFER_BYTES = 4096
_NLMSG_ERROR = 2
_AT_ONCE = 32  # packets of one turn of the loop
_PAUSE_S = 0.05  # after a full turn: a flood costs twenty turns a second, and looks are under way anyway

Listener = Callable[[Hint | None], None]


class Hints:
    """One table and one socket for all interfaces. `keep` runs while hints are wanted; `works` says whether they do."""

    def __init__(self, hub: str, post: Callable[[Event], None], opener: Callable[[], Nftables]) -> None:
        self._hub = hub
        self._opener = opener
        self._post = post
        self._known = Known()
        self._listeners: dict[str, Listener] = {}
        self._stirred = asyncio.Event()
        self._is_doubted = False
        self.works = False

    def listen(self, interface: str, listener: Listener) -> None:
        """Have `listener` called for each hint at the port of `interface`; None: some were lost, or all changed."""
        self._listeners[interface] = listener

    def learn(self, interface: str, port: int, found: Differences) -> None:
        """Take in what differs in a dump of `interface`; the table follows in a later turn of the loop."""
        self._known.take(interface, port, found, time.time())
        self._stirred.set()

    def forget(self, interface: str) -> None:
        """Let go of an interface that is gone, or has no port."""
        self._known.forget(interface)
        self._stirred.set()

    def doubt(self) -> None:
        """Look whether the table is still there: something came that was not announced."""
        self._is_doubted = True
        self._stirred.set()

    async def keep(self) -> None:
        """Keep table and socket until cancelled; when they fail, say so and try again a minute later, or anew."""
        await self._stirred.wait()  # before the first dump nothing is known
        while True:
            try:
                await self._serve()
            except EdgeError as error:
                failed = not self.works
                self._turn(works=False)
                if failed:
                    self._post(HintsUnavailable(str(error)))
                    await asyncio.sleep(RETRY_S)

    async def _serve(self) -> None:
        """Make both; follow what is learned. Raises EdgeError when nftables or NFLOG refuses."""
        with contextlib.closing(_open()) as packets:
            group = _bind(packets)
            table = table_name(self._hub, group)
            nftables = self._opener()
            try:
                self._known.renew()
                await nftables.run(render_table(table, group, has_owner=nftables.has_owner))
                await _tell(nftables, table, self._known.drain())
                self._resume(packets)
                self._turn(works=True)
                self._post(HintsActive(table, group, nftables.has_owner))
                while True:
                    await self._follow(nftables, table)
            finally:
                asyncio.get_running_loop().remove_reader(packets)
                nftables.close(table)

    async def _follow(self, nftables: Nftables, table: str) -> None:
        """Wait until something was learned, or until it is time to forget; then tell the table."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EXPIRE_S):
                await self._stirred.wait()
        # What was learned is on its way to the routers: to tell the table takes as long as to tell them.
        await asyncio.sleep(LEARN_PAUSE_S)
        self._stirred.clear()
        if self._is_doubted:
            self._is_doubted = False
            await nftables.run(render_check(table))
        self._known.expire(time.time())
        await _tell(nftables, table, self._known.drain())

    def _turn(self, *, works: bool) -> None:
        """Work, or not; every interface looks at once, for what came meanwhile."""
        self.works = works
        for listener in self._listeners.values():
            listener(None)

    def _read(self, packets: socket.socket) -> None:
        """Hand out what has come; a flood is left in the socket for a while, and what overflows there is one hint."""
        for _ in range(_AT_ONCE):
            try:
                received = packets.recv(_BUFFER_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._hand_out(None)
            else:
                for kind, _, _, payload in messages(received):
                    if kind == PACKET:
                        self._hand_out(decode_packet(payload))
        loop = asyncio.get_running_loop()
        loop.remove_reader(packets)
        loop.call_later(_PAUSE_S, self._resume, packets)

    def _resume(self, packets: socket.socket) -> None:
        if packets.fileno() >= 0:
            asyncio.get_running_loop().add_reader(packets, self._read, packets)

    def _hand_out(self, hint: Hint | None) -> None:
        if hint and self._known.holds(hint.listen_port, hint.source):
            return  # reported before the table was told
        names = self._known.interfaces(hint.listen_port) if hint else list(self._listeners)
        for name in names:
            self._listeners[name](hint)


async def _tell(nftables: Nftables, table: str, change: Change) -> None:
    for commands in render_change(table, change):
        await nftables.run(commands)
        await asyncio.sleep(0)


def _open() -> socket.socket:
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_NETFILTER)
    except OSError as error:
        raise EdgeError(Problem("NFLOG", f"no socket: {error.strerror or error}")) from None
    with contextlib.suppress(PermissionError):
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_QUEUE_BYTES)
    return opened


def _bind(packets: socket.socket) -> int:
    """Return the group that is ours now: the first that nobody else has."""
    code = 0
    for group in GROUPS:
        packets.send(encode_binding(group, group))
        code = _answer(packets)
        if not code:
            return group
        if code not in (errno.EPERM, errno.EBUSY):  # EPERM: another one's group, or no permission at all
            break
    hint = "CAP_NET_ADMIN" if code == errno.EPERM else "modprobe nfnetlink_log"
    raise EdgeError(Problem("NFLOG", f"refused: {os.strerror(code)}", hint=hint))


def _answer(packets: socket.socket) -> int:
    """Return the error number of the kernel's answer, 0 for none; it stands there when `send` returns."""
    while True:
        for kind, _, _, payload in messages(packets.recv(_BUFFER_BYTES)):
            if kind == _NLMSG_ERROR:
                return -int.from_bytes(payload[:4], sys.byteorder, signed=True)
