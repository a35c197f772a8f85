"""Prints what the product's watching of WireGuard posts, without engine and broker. Edge: a program.

`python -m lab.probes.watcher FILE [--nft PROGRAM]`, inside the hub's namespace: one JSON line for each event.
`--nft`: a machine without libnftables, which has only this program.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from wgmqtt.config.files import read_config
from wgmqtt.engine.events import Event, HintsActive, HintsUnavailable, InterfaceFailed, PacketsRejected, PeersPolled
from wgmqtt.watch.nftables import Nftables, Program, open_nftables
from wgmqtt.watch.watcher import watch


def show(event: Event) -> None:
    """Print one event; of peers each one that has an endpoint."""
    t_ns = time.time_ns()
    match event:
        case PeersPolled():
            for peer in event.changed:
                say(t_ns, "seen", interface=event.interface, key=str(peer.key), endpoint=str(peer.endpoint or ""))
            say(t_ns, "looked", changed=len(event.changed), removed=len(event.removed))
        case InterfaceFailed():
            say(t_ns, "interface-failed", interface=event.interface, reason=event.reason)
        case PacketsRejected():
            say(t_ns, "refused", interface=event.interface, sources=[str(source) for source in event.sources])
        case HintsActive():
            say(t_ns, "hints-work", table=event.table, group=event.group, owned=event.is_owned)
        case HintsUnavailable():
            say(t_ns, "hints-failed", reason=event.reason)
        case _:
            raise AssertionError(event)


def say(t_ns: int, event: str, **data: object) -> None:
    """Print one line."""
    print(json.dumps({"t_ns": t_ns, "event": event, **data}), flush=True)


def main() -> None:
    """Watch until killed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("config", type=Path)
    arguments.add_argument("--nft")
    given = arguments.parse_args()
    opener = partial(Program, given.nft) if given.nft else open_nftables
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run(given.config, opener))


async def run(config: Path, opener: Callable[[], Nftables]) -> None:
    """Watch until SIGTERM."""
    watching = asyncio.create_task(watch(read_config(config), show, opener))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, watching.cancel)
    await watching


if __name__ == "__main__":
    main()
