"""`detect`: how soon a move is published: first packet in the kernel → message at a subscriber. Edge: runs a guest.

The hub has many peers; a hundred of them really speak, and are routers linked in pairs. One after the other changes its
port, as behind a NAT box that was started again, and sends one packet. The far end of its pair is told; nobody answers,
because there are no routers here, only their WireGuard. Each round is so long that no move is damped.
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
"""How long a router has been quiet before its first, second, … move: damping pauses 1, 2, then 20 s."""
STEP_S, START_S = 20.0, 60.0
PHASE_S = 1.0  # moves come at any moment of the daemon's polling, and seldom enough for its budget of CPU time
CALM_S = 2.0
MS = 1_000_000


def run(*, quick: bool) -> Result:
    """Measure each size with hints and without, in a guest each; `quick` leaves out some, and most samples."""
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
    """Run in the guest: start everything, let one router after the other move, and print the samples."""
    with LargeHub(size, min(size, SPEAKERS), {"hints": hints}) as crowd:
        start_pairs(crowd)
        if hints == "auto":
            crowd.said("hints active", START_S)
        rest(crowd)
        # First ends of all pairs, then second ends: a receiver gets at most one table in 300 ms unless it answers.
        order = [*range(0, len(crowd.speaking), 2), *range(1, len(crowd.speaking), 2)]
        seen_ms, published_ms = [], []
        for number in range(moves):
            turn, place = divmod(number, len(order))
            if place == 0:
                time.sleep(ROUNDS_S[turn])
            time.sleep(SystemRandom().uniform(0, PHASE_S))
            seen, published = move(crowd, order[place], SITE_PORT + 1000 * (turn + 1) + order[place])
            seen_ms.append(seen)
            published_ms.append(published)
        emit("packet_to_seen", "ms", size, seen_ms)
        emit("packet_to_published", "ms", size, published_ms)


def start_pairs(crowd: LargeHub) -> None:
    """Start all, with those who speak as the only routers, linked in pairs."""
    crowd.routers = {name: crowd.routers[name] for name in crowd.speaking}
    crowd.link(list(zip(crowd.speaking[::2], crowd.speaking[1::2], strict=True)))
    crowd.start_broker()
    crowd.start_tap()
    crowd.speak()
    crowd.start_daemon(START_S)
    crowd.step_back()


def rest(crowd: LargeHub) -> None:
    """Wait until the daemon has published everything and has nothing more to say."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        since_ns = crowd.log.note("lab", "rest").t_ns
        if not crowd.log.collect(CALM_S, "hub", "table published", since_ns=since_ns):
            return
    raise LabError(Problem("the daemon", f"did not come to rest in {START_S} s"))


def move(crowd: LargeHub, number: int, port: int) -> tuple[float, float]:
    """Let one router speak from another port; return the ms until the daemon said so, and until a table came."""
    name, far = crowd.speaking[number], crowd.speaking[number ^ 1]
    hub = crowd.device.keys.public
    since_ns = crowd.log.note("lab", "move", router=name, port=port).t_ns
    # A keepalive that is switched on sends at once.
    keepalive = ("peer", hub, "persistent-keepalive")
    crowd.sites.run("wg", "set", f"s{number}", "listen-port", str(port), *keepalive, "25")
    packet = crowd.log.expect("tap", "packet", STEP_S, since_ns=since_ns, port=port)
    published = crowd.told(far, name, f"{WAN}2:{port}", STEP_S, since_ns=since_ns)
    seen = crowd.said("endpoint changed", STEP_S, since_ns=since_ns, router=name)
    crowd.sites.run("wg", "set", f"s{number}", *keepalive, "0")
    return (seen.t_ns - packet.t_ns) / MS, (published.t_ns - packet.t_ns) / MS


if __name__ == "__main__":
    inside(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
