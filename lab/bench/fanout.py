"""`fanout`: a hundred routers, each linked to eighty others, move at once.

Their NAT box gets another public address, and each router sends a packet. Times are measured from just before the first
of these packets. All eighty entries of each router's table change, and one table per router is the aim. The routers are
plain subscribers that do not report.
"""

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass

from lab.bench.figures import Result
from lab.bench.guest import emit, measure_in_guest
from lab.network.netns import python_module
from lab.network.shell import LabError
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import Event
from lab.testbed.large_hub import WAN, LargeHub
from lab.testbed.process_cost import cpu_s
from lab.testbed.standalone_hub import HOST, PREFIX
from wgmqtt.errors import Problem

NAME = "fanout"
ROUTERS = 100
NEAR = 40  # on each side of the ring; with all 99 a table could exceed the limit of 15,000 bytes
QUICK_MOVES, FULL_MOVES = 3, 10
FIRST_PAUSE_S, LONGEST_PAUSE_S = 3.0, 22.0  # the first change is published at once, repeats are damped more and more
ARRIVED_S, QUIET_S = 120.0, 2.0
MS = 1e6


@dataclass(frozen=True, slots=True)
class Move:
    """The result of one move: milliseconds until the first and the last table, and the number of tables by router."""

    first_ms: float
    last_ms: float
    tables: Counter[str]


def run(*, quick: bool) -> Result:
    """Measure moves of all routers at once."""
    return measure_in_guest(NAME, ROUTERS, QUICK_MOVES if quick else FULL_MOVES, timeout_s=400.0)


def inside(routers: int, moves: int) -> None:
    """Run in the guest: move all routers several times, and print the samples."""
    with LargeHub(routers, routers) as hub:
        names = list(hub.routers)
        hub.link([(names[i], names[(i + k) % routers]) for i in range(routers) for k in range(1, NEAR + 1)])
        hub.start_broker()
        subscribers = listen(hub)
        hub.send()
        hub.start_daemon()
        settled(hub, hub.address)
        done, cpu_ms, pause_s = list[Move](), list[float](), FIRST_PAUSE_S
        for number in range(moves):
            time.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
            used_s = cpu_s(hub.daemon_pid())
            moved = move_all(hub, f"{WAN}{number + 3}")
            done.append(moved)
            cpu_ms.append((cpu_s(hub.daemon_pid()) - used_s) * 1000)
            print(f"move {number + 1}: {moved.first_ms:.0f} ms, {moved.last_ms:.0f} ms, {moved.tables.total()} tables")
        emit("packet_to_first_table", "ms", routers, [move.first_ms for move in done])
        emit("packet_to_last_table", "ms", routers, [move.last_ms for move in done])
        emit("tables_per_router", "tables", routers, [float(n) for move in done for n in move.tables.values()])
        emit("daemon_cpu", "ms", routers, cpu_ms)
        subscribers.kill()


def listen(hub: LargeHub) -> Child:
    """Start a subscriber for each router."""
    where = ("--host", HOST, "--secrets", str(hub.secrets), "--prefix", PREFIX)
    command = python_module("lab.probes.subscribers", *where, *hub.routers)
    child = Child("subscribers", hub.namespace, command, hub.log, read_json_line)
    hub.log.expect("subscribers", "subscribed", ARRIVED_S)
    return child


def move_all(hub: LargeHub, address: str) -> Move:
    """Move all routers to `address`, and wait until all tables have arrived."""
    hub.take_address(address)
    zero_ns = hub.send().t_ns
    newest_ns = settled(hub, address, zero_ns)
    came = hub.log.find("subscribers", "table", since_ns=zero_ns)
    return Move(
        first_ms=(came[0].t_ns - zero_ns) / MS,
        last_ms=(max(newest_ns.values()) - zero_ns) / MS,
        tables=Counter(str(event.data["router"]) for event in came),
    )


def settled(hub: LargeHub, address: str, since_ns: int = 0) -> dict[str, int]:
    """Wait until all routers have tables with `address`; return when (Unix time, ns) each got its first such table."""
    deadline = time.monotonic() + ARRIVED_S
    newest_ns: dict[str, int] = {}
    while len(newest_ns) < len(hub.routers):
        if time.monotonic() > deadline:
            missing = sorted(hub.routers.keys() - newest_ns.keys())
            raise LabError(Problem("fanout", "tables are missing", got=f"{len(missing)} routers: {missing[:5]}"))
        time.sleep(QUIET_S)
        for event in hub.log.find("subscribers", "table", since_ns=since_ns):
            if has_all_at(event, address):
                newest_ns.setdefault(str(event.data["router"]), event.t_ns)
    return newest_ns


def has_all_at(event: Event, address: str) -> bool:
    """Return whether all entries of a table have `address`."""
    peers = json.loads(str(event.data["payload"]))["peers"]
    return [peer.get("address") for peer in peers] == [address] * 2 * NEAR


if __name__ == "__main__":
    inside(int(sys.argv[1]), int(sys.argv[2]))
