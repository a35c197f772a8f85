"""`flood`: packets from invented sources at the hub's WireGuard port, and real moves meanwhile. Edge: runs a guest.

The packets come evenly, bounded in number and time, from another namespace of the guest; each has a source that no peer
has, so each could be a hint. Zero of a real move is before the command that makes the router speak from another port.
The one CPU of the guest sends the flood, too.
"""

import sys
import time

from lab.bench.figures import Result
from lab.bench.guest import emit, measure_in_guest
from lab.bench.idle import come_to_rest
from lab.network.netns import python_module
from lab.testbed.large_hub import SITE_PORT, WAN, LargeHub
from lab.testbed.process_cost import cpu_s

NAME = "flood"
SIZES = (100, 10_000)
SPEAKERS = 40
PACKETS_A_SECOND = 2_000
QUICK_S, FULL_S = 8.0, 40.0
REST_S, BEFORE_S, BETWEEN_S, STEP_S = 3.0, 2.0, 0.5, 20.0
MS = 1e6


def run(*, quick: bool) -> Result:
    """Measure at few and at many peers; `quick` at few only."""
    figures, failures = [], []
    for size in SIZES[:1] if quick else SIZES:
        result = measure_in_guest(NAME, size, QUICK_S if quick else FULL_S, timeout_s=400.0)
        figures += result.figures
        failures += result.failures
    return Result(figures, failures)


def inside(size: int, flooded_s: float) -> None:
    """Run in the guest: move routers one after the other as long as the flood lasts, and print the samples."""
    with LargeHub(size, SPEAKERS) as crowd:
        crowd.link(list(zip(crowd.speaking[::2], crowd.speaking[1::2], strict=True)))
        crowd.start_broker()
        crowd.speak()
        crowd.start_daemon()
        crowd.said("hints active", STEP_S)
        pid = crowd.daemon_pid()
        come_to_rest(pid)
        crowd.speak()  # sessions are young again: under such a flood WireGuard answers a new handshake only after 5 s
        time.sleep(REST_S)
        where = ("--to", f"{WAN}1", "--port", "51820")
        bounds = ("--count", str(round(PACKETS_A_SECOND * flooded_s)), "--seconds", str(flooded_s))
        used_s, begun_s = cpu_s(pid), time.monotonic()
        with crowd.sites.start(*python_module("lab.probes.spoof", *where, *bounds)) as flood:
            time.sleep(BEFORE_S)
            moved_ms = []
            for number in range(0, SPEAKERS, 2):
                if flood.poll() is not None or time.monotonic() - begun_s > flooded_s:
                    break
                moved_ms.append(move(crowd, number))
                time.sleep(BETWEEN_S)
            share = (cpu_s(pid) - used_s) / (time.monotonic() - begun_s) * 100
            said, _ = flood.communicate(timeout=flooded_s + STEP_S)
        print(f"the flood: {said.strip()}")
        emit("cpu_share", "% of a core", size, [share])
        emit("move_to_published", "ms", size, moved_ms)


def move(crowd: LargeHub, number: int) -> float:
    """Let one router speak from another port; return the ms until the far end of its link has a table with it."""
    name, far, port = crowd.speaking[number], crowd.speaking[number + 1], SITE_PORT + 1000 + number
    keepalive = ("peer", crowd.device.keys.public, "persistent-keepalive", "25")  # switched on, it sends at once
    since_ns = crowd.log.note("lab", "move", router=name, port=port).t_ns
    crowd.sites.run("wg", "set", f"s{number}", "listen-port", str(port), *keepalive)
    published = crowd.told(far, name, f"{WAN}2:{port}", STEP_S, since_ns=since_ns)
    return (published.t_ns - since_ns) / MS


if __name__ == "__main__":
    inside(int(sys.argv[1]), float(sys.argv[2]))
