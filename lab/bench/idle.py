"""`idle`: the daemon's share of one core and its memory while nothing changes.

Every router is linked to three others. Active routers have a live session and send a packet every 25 s, like
WireGuard's keepalive; each renews its session every two minutes, and the hub sees that. The others are silent peers
that were heard once, before the daemon started.
"""

import sys
import time

from lab.bench.figures import Result
from lab.bench.guest import emit, measure_in_guest
from lab.network.shell import LabError
from lab.testbed.large_hub import LargeHub
from lab.testbed.process_cost import cpu_s, memory_mib, system_call_us
from wgmqtt.errors import Problem

NAME = "idle"
SIZES, QUICK_SIZES = (100, 1_000, 10_000), (1_000,)
FULL_S, QUICK_S = 60.0, 4.0
SETTLE_S, MOST_SETTLE_S, AT_REST_SHARE = 4.0, 180.0, 0.05
KEEPALIVE_MS = 25_000
MESH = 4
MOST_ACTIVE, QUICK_ACTIVE = 200, 20


def run(*, quick: bool) -> Result:
    """Measure each size in its own guest; `quick`: one size, for seconds only, with fewer active routers."""
    figures, failures = [], []
    for size in QUICK_SIZES if quick else SIZES:
        active = min(size, QUICK_ACTIVE if quick else MOST_ACTIVE)
        result = measure_in_guest(NAME, size, active, QUICK_S if quick else FULL_S, timeout_s=400.0)
        figures += result.figures
        failures += result.failures
    return Result(figures, failures)


def inside(size: int, active: int, measured_s: float) -> None:
    """Run in the guest: start everything, wait until it is idle, and measure the daemon's CPU time and memory."""
    with LargeHub(size, active) as hub:
        names = list(hub.routers)
        hub.link([names[start : start + MESH] for start in range(0, size, MESH)])
        hub.start_broker()
        hub.hear_silent_routers()
        hub.send(KEEPALIVE_MS)
        hub.start_daemon()
        time.sleep(1.0)
        pid = hub.daemon_pid()
        started_s = wait_until_idle(pid)
        used_s, begun_s = cpu_s(pid), time.monotonic()
        time.sleep(measured_s)
        share = (cpu_s(pid) - used_s) / (time.monotonic() - begun_s) * 100
        emit("cpu_share", "% of a core", size, [share])
        emit("rss", "MiB", size, [memory_mib(pid)])
        emit("rss_at_most", "MiB", size, [memory_mib(pid, "VmHWM")])
        emit("cpu_to_start", "s", size, [started_s])
        emit("system_call", "us", size, [system_call_us()])


def wait_until_idle(pid: int) -> float:
    """Wait until the daemon has published everything; return the CPU time (s) that it used before."""
    deadline = time.monotonic() + MOST_SETTLE_S
    while True:
        used_s = cpu_s(pid)
        time.sleep(SETTLE_S)
        if cpu_s(pid) - used_s < AT_REST_SHARE * SETTLE_S:
            return used_s
        if time.monotonic() > deadline:
            raise LabError(Problem("the daemon", f"is not idle after {MOST_SETTLE_S} s"))


if __name__ == "__main__":
    inside(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
