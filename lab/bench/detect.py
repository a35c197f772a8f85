"""`detect`: the time from a moved router's first packet in the kernel to the published table at a subscriber.

The hub has many peers; a hundred of them have live sessions and are routers linked in pairs. One after the other
changes its port, as behind a NAT box that restarted, and sends one packet. The table for the other end of its pair
follows. No router reports, because only their WireGuard runs here. Rounds are so long that no move is damped.
"""

import sys
import time
from dataclasses import replace
from random import SystemRandom

from lab.bench.figures import OURS, Figure, Result
from lab.bench.guest import emit, measure_in_guest
from lab.network.shell import LabError
from lab.testbed.large_hub import SITE_PORT, WAN, LargeHub
from wgmqtt.errors import Problem

NAME = "detect"
SIZES = (100, 1_000, 10_000)
SPEAKERS = 100
FULL, FULL_OFF, QUICK, QUICK_OFF = 500, 200, 10, 5
QUICK_CASES = ((100, "auto"), (100, "off"), (10_000, "auto"))
ROUNDS_S = (0.0, 2.0, 4.0, 20.0, 20.0)
"""How long a router is quiet before its first, second, … move; damping pauses for 1, 2, then 20 s."""
STEP_S, START_S = 60.0, 120.0
PHASE_S = 1.0  # moves come at any moment of the polling interval, and rarely enough for the CPU budget
QUIET_S = 2.0
MS = 1_000_000


def run(*, quick: bool) -> Result:
    """Measure each size with hints and without, each in a guest; `quick` omits some sizes and most samples."""
    figures: list[Figure] = []
    failures: list[str] = []
    for size, hints in QUICK_CASES if quick else [(size, hints) for size in SIZES for hints in ("auto", "off")]:
        moves = (QUICK if quick else FULL) if hints == "auto" else (QUICK_OFF if quick else FULL_OFF)
        result = measure_in_guest(NAME, size, hints, moves, timeout_s=1200.0)
        subject = OURS if hints == "auto" else f"{OURS}, hints: off"
        figures += [replace(figure, subject=subject) for figure in result.figures]
        failures += result.failures
    return Result(figures, failures)


def inside(size: int, hints: str, moves: int) -> None:
    """Run in the guest: start everything, move one router after the other, and print the samples."""
    with LargeHub(size, min(size, SPEAKERS), {"hints": hints}) as hub:
        start_pairs(hub)
        if hints == "auto":
            hub.expect_log("hints active", START_S)
        wait_until_quiet(hub)
        # First ends of all pairs, then second ends: a router that does not report gets at most one table in 300 ms.
        order = [*range(0, len(hub.active), 2), *range(1, len(hub.active), 2)]
        seen_ms, published_ms = [], []
        for number in range(moves):
            turn, place = divmod(number, len(order))
            if place == 0:
                time.sleep(ROUNDS_S[turn])
            time.sleep(SystemRandom().uniform(0, PHASE_S))
            seen, published = move(hub, order[place], SITE_PORT + 1000 * (turn + 1) + order[place])
            seen_ms.append(seen)
            published_ms.append(published)
        emit("packet_to_seen", "ms", size, seen_ms)
        emit("packet_to_published", "ms", size, published_ms)


def start_pairs(hub: LargeHub) -> None:
    """Start everything, with the active routers as the only ones, linked in pairs."""
    hub.routers = {name: hub.routers[name] for name in hub.active}
    hub.link(list(zip(hub.active[::2], hub.active[1::2], strict=True)))
    hub.start_broker()
    hub.start_tap()
    hub.send()
    hub.start_daemon(START_S)
    hub.lower_priority()


def wait_until_quiet(hub: LargeHub) -> None:
    """Wait until the daemon publishes no more tables."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        since_ns = hub.log.note("lab", "quiet").t_ns
        if not hub.log.collect(QUIET_S, "hub", "table published", since_ns=since_ns):
            return
    raise LabError(Problem("the daemon", f"still publishes tables after {START_S} s"))


def move(hub: LargeHub, number: int, port: int) -> tuple[float, float]:
    """Move one router to another port; return the ms until the daemon logged it, and until the table arrived."""
    name, far = hub.active[number], hub.active[number ^ 1]
    hub_key = hub.device.keys.public
    since_ns = hub.log.note("lab", "move", router=name, port=port).t_ns
    # WireGuard sends a keepalive as soon as it is enabled.
    keepalive = ("peer", hub_key, "persistent-keepalive")
    hub.sites.run("wg", "set", f"s{number}", "listen-port", str(port), *keepalive, "25")
    packet = hub.log.expect("tap", "packet", STEP_S, since_ns=since_ns, port=port)
    published = hub.expect_table(far, name, f"{WAN}2:{port}", STEP_S, since_ns=since_ns)
    seen = hub.expect_log("endpoint changed", STEP_S, since_ns=since_ns, router=name)
    hub.sites.run("wg", "set", f"s{number}", *keepalive, "0")
    return (seen.t_ns - packet.t_ns) / MS, (published.t_ns - packet.t_ns) / MS


if __name__ == "__main__":
    inside(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
