"""Runs wgmqtt's watcher (polls and hints) without engine and broker, and prints its events.

`python -m lab.probes.watcher FILE [--nft PROGRAM]`, inside the hub's namespace. Prints one JSON line per event. `--nft`
uses this program instead of libnftables, as on a machine without the library.
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

from wgmqtt.config.load import read_config
from wgmqtt.engine.events import Event, HintsActive, HintsUnavailable, InterfaceFailed, PacketsRejected, PeersPolled
from wgmqtt.watch.nftables import Nftables, Program, open_nftables
from wgmqtt.watch.watcher import watch


def show(event: Event) -> None:
    """Print one event; for a poll, one line per changed peer, and one for the poll."""
    t_ns = time.time_ns()
    match event:
        case PeersPolled():
            for peer in event.changed:
                emit(t_ns, "seen", interface=event.interface, key=str(peer.key), endpoint=str(peer.endpoint or ""))
            emit(t_ns, "polled", changed=len(event.changed), removed=len(event.removed))
        case InterfaceFailed():
            emit(t_ns, "interface-failed", interface=event.interface, reason=event.reason)
        case PacketsRejected():
            emit(t_ns, "rejected", interface=event.interface, sources=[str(source) for source in event.sources])
        case HintsActive():
            emit(t_ns, "hints-work", table=event.table, group=event.group, owned=event.is_owned)
        case HintsUnavailable():
            emit(t_ns, "hints-failed", reason=event.reason)
        case _:
            raise AssertionError(event)


def emit(t_ns: int, event: str, **data: object) -> None:
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
