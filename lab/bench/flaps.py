"""`flaps`: a router goes back and forth between two addresses; is each change seen, and how soon? Edge: runs a guest.

A return to an earlier address is what connection tracking would not report, because it still has an entry for it. Zero
is the time stamp that the hub's kernel gave the first packet of each change. What others are told is damped on purpose:
only the end counts, from the last packet to the table that is true.
"""

import sys
import time

from lab.bench.figures import Result
from lab.bench.guest import emit, measure_in_guest
from lab.network.shell import LabError
from lab.testbed.large_hub import SITE_PORT, WAN, LargeHub

NAME = "flaps"
PEERS = 100
FLAPS = 20
QUICK_PAUSE_S, FULL_PAUSE_S = 0.1, 3.0
STEP_S, END_S = 5.0, 90.0  # the longest pause is a minute: then the hour's writes are used up
PLACES = (f"{WAN}2", f"{WAN}3")
MS = 1e6


def run(*, quick: bool) -> Result:
    """Measure twenty changes, each a pause after the one before."""
    return measure_in_guest(NAME, QUICK_PAUSE_S if quick else FULL_PAUSE_S, timeout_s=300.0)


def inside(pause_s: float) -> None:
    """Run in the guest: let one router flap, and print the samples."""
    with LargeHub(PEERS, 1) as crowd:
        flapping, other = list(crowd.routers)[:2]
        crowd.link([(flapping, other)])
        crowd.start_broker()
        crowd.start_tap()
        crowd.speak()
        crowd.start_daemon()
        crowd.said("hints active", STEP_S)
        time.sleep(2.0)
        seen_ms, last_ns = [], 0
        for number in range(1, FLAPS + 1):
            last_ns, ms = flap(crowd, PLACES[number % 2])
            seen_ms += [] if ms is None else [ms]
            time.sleep(pause_s)
        emit("flaps_seen", f"of {FLAPS}", PEERS, [len(seen_ms)])
        emit("packet_to_seen", "ms", PEERS, seen_ms)
        told_ns = crowd.told(other, flapping, f"{PLACES[0]}:{SITE_PORT}", END_S, since_ns=last_ns).t_ns
        emit("last_packet_to_published", "ms", PEERS, [(told_ns - last_ns) / MS])


def flap(crowd: LargeHub, place: str) -> tuple[int, float | None]:
    """Let the router speak from `place`; return when its packet came, and the ms until it was seen, None if never."""
    crowd.tap.send({"forget": place})
    time.sleep(0.1)
    crowd.take_address(place)
    since_ns = crowd.speak().t_ns
    packet_ns = crowd.log.expect("tap", "packet", STEP_S, since_ns=since_ns, address=place).t_ns
    try:
        seen = crowd.log.wait_for(
            lambda event: (
                event.source == "hub"
                and event.kind.startswith("endpoint changed")
                and event.data["endpoint"] == f"{place}:{SITE_PORT}"
            ),
            STEP_S,
            since_ns=since_ns,
        )
    except LabError:
        return packet_ns, None
    return packet_ns, (seen.t_ns - packet_ns) / MS


if __name__ == "__main__":
    inside(float(sys.argv[1]))
