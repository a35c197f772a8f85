"""One WireGuard interface, asked again and again. Edge: talks to WireGuard through its two edges."""

import asyncio
import contextlib
from collections.abc import Callable

from wgmqtt.decode import Snapshot, differences
from wgmqtt.errors import EdgeError
from wgmqtt.events import Event, InterfaceFailed, PeersSeen
from wgmqtt.model import Config
from wgmqtt.wireguard import choose


async def watch(interface: str, config: Config, post: Callable[[Event], None]) -> None:
    """Ask until cancelled; only what differs from the last answer becomes an event."""
    known: Snapshot = {}
    failed = False
    with contextlib.closing(choose(config.wireguard)) as wireguard:
        while True:
            try:
                dump = await wireguard.dump(interface)
            except EdgeError as error:
                failed = True
                post(InterfaceFailed(interface, str(error)))
            else:
                found = differences(known, dump.snapshot, complete=dump.complete)
                known = dump.snapshot if dump.complete else known | dump.snapshot
                if found.changed or found.removed or failed:
                    post(PeersSeen(interface, found.changed, found.removed))
                failed = False
            await asyncio.sleep(config.poll_s)
