"""`flood`: spoofed packets at the hub's WireGuard port, and real moves meanwhile.

The packets come at a constant rate, bounded in number and time, from another namespace of the guest. No peer has their
sources, so each can cause a hint. The time of a real move starts before the command that makes the router send from
another port. The single CPU of the guest also sends the flood.
"""

import sys
import time

from lab.bench.figures import Result
from lab.bench.guest import emit, measure_in_guest
from lab.bench.idle import wait_until_idle
from lab.network.netns import python_module
from lab.testbed.large_hub import SITE_PORT, WAN, LargeHub
from lab.testbed.process_cost import cpu_s

NAME = "flood"
SIZES = (100, 10_000)
SPEAKERS = 40
PACKETS_A_SECOND = 2_000
QUICK_S, FULL_S = 8.0, 40.0
REST_S, BEFORE_S, BETWEEN_S, STEP_S = 3.0, 2.0, 0.5, 60.0
MS = 1e6


def run(*, quick: bool) -> Result:
    """Measure with few and with many peers; `quick` with few only."""
    figures, failures = [], []
    for size in SIZES[:1] if quick else SIZES:
        result = measure_in_guest(NAME, size, QUICK_S if quick else FULL_S, timeout_s=400.0)
        figures += result.figures
        failures += result.failures
    return Result(figures, failures)


def inside(size: int, flooded_s: float) -> None:
    """Run in the guest: move one router after the other while the flood lasts, and print the samples."""
    with LargeHub(size, SPEAKERS) as hub:
        hub.link(list(zip(hub.active[::2], hub.active[1::2], strict=True)))
        hub.start_broker()
        hub.send()
        hub.start_daemon()
        hub.expect_log("hints active", STEP_S)
        pid = hub.daemon_pid()
        wait_until_idle(pid)
        hub.send()  # renews the sessions, because under such a flood WireGuard answers a new handshake only after 5 s
        time.sleep(REST_S)
        where = ("--to", f"{WAN}1", "--port", "51820")
        bounds = ("--count", str(round(PACKETS_A_SECOND * flooded_s)), "--seconds", str(flooded_s))
        used_s, begun_s = cpu_s(pid), time.monotonic()
        with hub.sites.start(*python_module("lab.probes.spoof", *where, *bounds)) as flood:
            time.sleep(BEFORE_S)
            moved_ms = []
            for number in range(0, SPEAKERS, 2):
                if flood.poll() is not None or time.monotonic() - begun_s > flooded_s:
                    break
                moved_ms.append(move(hub, number))
                time.sleep(BETWEEN_S)
            share = (cpu_s(pid) - used_s) / (time.monotonic() - begun_s) * 100
            output, _ = flood.communicate(timeout=flooded_s + STEP_S)
        print(f"the flood: {output.strip()}")
        emit("cpu_share", "% of a core", size, [share])
        emit("move_to_published", "ms", size, moved_ms)


def move(hub: LargeHub, number: int) -> float:
    """Move one router to another port; return the ms until the other end of its link has a table with it."""
    name, far, port = hub.active[number], hub.active[number + 1], SITE_PORT + 1000 + number
    keepalive = ("peer", hub.device.keys.public, "persistent-keepalive", "25")  # sent as soon as it is enabled
    since_ns = hub.log.note("lab", "move", router=name, port=port).t_ns
    hub.sites.run("wg", "set", f"s{number}", "listen-port", str(port), *keepalive)
    published = hub.expect_table(far, name, f"{WAN}2:{port}", STEP_S, since_ns=since_ns)
    return (published.t_ns - since_ns) / MS


if __name__ == "__main__":
    inside(int(sys.argv[1]), float(sys.argv[2]))
