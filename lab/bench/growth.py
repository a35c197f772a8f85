"""`growth`: the cost of a dump and the time until a move is published, from 100 to 10,000 peers.

The parts of a dump are the kernel and the copy (received), decoding in Python (decoded), and comparing with the dump
before (compared). Moves are those of `detect` with hints, but only a few: the curve matters here, and `detect` has the
percentiles.
"""

import json
import sys
import time

from lab.bench import detect
from lab.bench.figures import Result
from lab.bench.guest import emit, measure_in_guest
from lab.network.netns import python_module
from lab.testbed.large_hub import SITE_PORT, LargeHub

NAME = "growth"
QUICK_SIZES, FULL_SIZES = (100, 10_000), (100, 300, 1_000, 3_000, 10_000)
QUICK_DUMPS, FULL_DUMPS = 20, 200
SPEAKERS = 20
START_S, REST_S = 120.0, 5.0


def run(*, quick: bool) -> Result:
    """Measure each size in its own guest; `quick`: the smallest and largest size, and dumps only."""
    figures, failures = [], []
    for size in QUICK_SIZES if quick else FULL_SIZES:
        result = measure_in_guest(NAME, size, QUICK_DUMPS if quick else FULL_DUMPS, int(not quick), timeout_s=400.0)
        figures += result.figures
        failures += result.failures
    return Result(figures, failures)


def inside(size: int, dumps: int, *, with_moves: bool) -> None:
    """Run in the guest: measure dumps, and then moves."""
    with LargeHub(size, SPEAKERS) as hub:
        output = hub.namespace.run(*python_module("lab.bench.dump_cost", "wg0", str(dumps)), timeout_s=START_S)
        for line in output.splitlines():
            cost = json.loads(line)
            emit(cost["part"], "ms", size, cost["ms"])
        if not with_moves:
            return
        detect.start_pairs(hub)
        hub.expect_log("hints active", START_S)
        time.sleep(REST_S)
        moves = [detect.move(hub, number, SITE_PORT + 1000 + number) for number in range(0, SPEAKERS, 2)]
        emit("packet_to_published", "ms", size, [published for _, published in moves])


if __name__ == "__main__":
    inside(int(sys.argv[1]), int(sys.argv[2]), with_moves=sys.argv[3] == "1")
