"""`fanout`: a hundred routers, each linked to eighty others, all move at once. Edge: runs a guest.

Their NAT box gets another public address, and each sends a packet. Zero is the moment before the first of these leaves.
Each router's table has eighty lines, and all of them are new: one table for each is the aim. The routers are plain
subscribers that answer nothing.
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
NEAR = 40  # on each side of the ring: with all ninety-nine the table could pass the 15,000 bytes that a router takes
QUICK_MOVES, FULL_MOVES = 3, 10
FIRST_PAUSE_S, LONGEST_PAUSE_S = 3.0, 22.0  # the first change is told at once, repeats ever more slowly
ARRIVED_S, QUIET_S = 30.0, 2.0
MS = 1e6


@dataclass(frozen=True, slots=True)
class Move:
    """What came of one move: milliseconds until the first table and the last newest one, and tables by router."""

    first_ms: float
    last_ms: float
    tables: Counter[str]


def run(*, quick: bool) -> Result:
    """Measure some moves of all routers."""
    return measure_in_guest(NAME, ROUTERS, QUICK_MOVES if quick else FULL_MOVES, timeout_s=400.0)


def inside(routers: int, moves: int) -> None:
    """Run in the guest: move everybody several times, and print the samples."""
    with LargeHub(routers, routers) as crowd:
        names = list(crowd.routers)
        crowd.link([(names[i], names[(i + k) % routers]) for i in range(routers) for k in range(1, NEAR + 1)])
        crowd.start_broker()
        subscribers = listen(crowd)
        crowd.speak()
        crowd.start_daemon()
        settled(crowd, crowd.address)
        done, cpu_ms, pause_s = list[Move](), list[float](), FIRST_PAUSE_S
        for number in range(moves):
            time.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
            used_s = cpu_s(crowd.daemon_pid())
            moved = move_all(crowd, f"{WAN}{number + 3}")
            done.append(moved)
            cpu_ms.append((cpu_s(crowd.daemon_pid()) - used_s) * 1000)
            print(f"move {number + 1}: {moved.first_ms:.0f} ms, {moved.last_ms:.0f} ms, {moved.tables.total()} tables")
        emit("packet_to_first_table", "ms", routers, [move.first_ms for move in done])
        emit("packet_to_last_table", "ms", routers, [move.last_ms for move in done])
        emit("tables_per_router", "tables", routers, [float(n) for move in done for n in move.tables.values()])
        emit("daemon_cpu", "ms", routers, cpu_ms)
        subscribers.kill()


def listen(crowd: LargeHub) -> Child:
    """Have a subscriber for each router."""
    where = ("--host", HOST, "--secrets", str(crowd.secrets), "--prefix", PREFIX)
    command = python_module("lab.probes.subscribers", *where, *crowd.routers)
    child = Child("subscribers", crowd.namespace, command, crowd.log, read_json_line)
    crowd.log.expect("subscribers", "subscribed", 30.0)
    return child


def move_all(crowd: LargeHub, address: str) -> Move:
    """Let everybody move to `address`, and wait until all tables have come."""
    crowd.take_address(address)
    zero_ns = crowd.speak().t_ns
    newest_ns = settled(crowd, address, zero_ns)
    came = crowd.log.find("subscribers", "table", since_ns=zero_ns)
    return Move(
        first_ms=(came[0].t_ns - zero_ns) / MS,
        last_ms=(max(newest_ns.values()) - zero_ns) / MS,
        tables=Counter(str(event.data["router"]) for event in came),
    )


def settled(crowd: LargeHub, address: str, since_ns: int = 0) -> dict[str, int]:
    """Wait until everybody knows that all are at `address`, and no more comes; return when each was told first."""
    deadline = time.monotonic() + ARRIVED_S
    newest_ns: dict[str, int] = {}
    while len(newest_ns) < len(crowd.routers):
        if time.monotonic() > deadline:
            missing = sorted(crowd.routers.keys() - newest_ns.keys())
            raise LabError(Problem("fanout", "not everybody was told", got=f"{len(missing)} were not: {missing[:5]}"))
        time.sleep(QUIET_S)
        for event in crowd.log.find("subscribers", "table", since_ns=since_ns):
            if tells_all(event, address):
                newest_ns.setdefault(str(event.data["router"]), event.t_ns)
    return newest_ns


def tells_all(event: Event, address: str) -> bool:
    """Return whether a table says of everybody else that they are at `address`."""
    peers = json.loads(str(event.data["payload"]))["peers"]
    return [peer.get("address") for peer in peers] == [address] * 2 * NEAR


if __name__ == "__main__":
    inside(int(sys.argv[1]), int(sys.argv[2]))
