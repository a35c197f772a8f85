"""Measures the cost of a dump of the kernel's WireGuard in its parts: receiving, decoding, comparing.

`python -m lab.bench.dump_cost INTERFACE COUNT`, as root. Prints one JSON line per part: cost {part, ms: [...]}.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable

from wgmqtt.wireguard.kernel import KernelWireguard
from wgmqtt.wireguard.kernel_decode import DumpDecoder
from wgmqtt.wireguard.snapshot import Snapshot, differences

MS = 1e3


async def whole_ms(wireguard: KernelWireguard, interface: str) -> float:
    """Return the time of a whole dump, as the daemon runs it."""
    begun_s = time.perf_counter()
    await wireguard.dump(interface)
    return (time.perf_counter() - begun_s) * MS


class Kept(DumpDecoder):
    """Decodes nothing, but keeps the messages."""

    def __init__(self) -> None:
        super().__init__()
        self.payloads: list[bytes] = []

    def add(self, payload: bytes) -> None:
        """Keep one message."""
        self.payloads.append(payload)


class Received(KernelWireguard):
    """The same dump without decoding."""

    async def payloads(self, interface: str) -> list[bytes]:
        """Return the messages of a dump."""
        kept = Kept()
        await self._request(interface, kept)
        return kept.payloads


async def receive_ms(received: Received, interface: str) -> float:
    """Return the time that the kernel and the copy take."""
    begun_s = time.perf_counter()
    await received.payloads(interface)
    return (time.perf_counter() - begun_s) * MS


def took_ms(act: Callable[[], object]) -> float:
    """Return the time that a call takes."""
    begun_s = time.perf_counter()
    act()
    return (time.perf_counter() - begun_s) * MS


def decoded(payloads: list[bytes], known: Snapshot) -> Snapshot:
    """Return the snapshot of these messages; most peers are as in `known`, the dump before."""
    decoder = DumpDecoder(known)
    for payload in payloads:
        decoder.add(payload)
    return decoder.snapshot


async def main(interface: str, count: int) -> None:
    """Measure each part `count` times."""
    wireguard, received = KernelWireguard(), Received()
    payloads = await received.payloads(interface)
    before = decoded(payloads, {})
    after = decoded(payloads, before)
    costs = {
        "dump": [await whole_ms(wireguard, interface) for _ in range(count)],
        "dump_received": [await receive_ms(received, interface) for _ in range(count)],
        "dump_decoded": [took_ms(lambda: decoded(payloads, before)) for _ in range(count)],
        "dump_compared": [
            took_ms(lambda: differences(before, after, complete=True, now_s=time.time())) for _ in range(count)
        ],
    }
    for part, ms in costs.items():
        print(json.dumps({"t_ns": time.time_ns(), "event": "cost", "part": part, "ms": ms}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
