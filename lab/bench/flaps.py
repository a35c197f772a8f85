"""`flaps`: a router flaps between two addresses; which changes are seen, and how soon.

Connection tracking would not report the return to an earlier address, because it still has an entry for it. Times are
measured from the kernel's time stamp of the first packet after each change. Tables for other routers are damped on
purpose: for them only the time from the last packet to the final table counts.
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
STEP_S, END_S = 30.0, 180.0  # the longest pause is a minute: the one when the hourly budget of writes is used up
PLACES = (f"{WAN}2", f"{WAN}3")
MS = 1e6


def run(*, quick: bool) -> Result:
    """Measure twenty changes with a pause between them."""
    return measure_in_guest(NAME, QUICK_PAUSE_S if quick else FULL_PAUSE_S, timeout_s=300.0)


def inside(pause_s: float) -> None:
    """Run in the guest: let one router flap, and print the samples."""
    with LargeHub(PEERS, 1) as hub:
        flapping, other = list(hub.routers)[:2]
        hub.link([(flapping, other)])
        hub.start_broker()
        hub.start_tap()
        hub.send()
        hub.start_daemon()
        hub.expect_log("hints active", STEP_S)
        time.sleep(2.0)
        seen_ms, last_ns = [], 0
        for number in range(1, FLAPS + 1):
            last_ns, ms = flap(hub, PLACES[number % 2])
            seen_ms += [] if ms is None else [ms]
            time.sleep(pause_s)
        emit("flaps_seen", f"of {FLAPS}", PEERS, [len(seen_ms)])
        emit("packet_to_seen", "ms", PEERS, seen_ms)
        published_ns = hub.expect_table(other, flapping, f"{PLACES[0]}:{SITE_PORT}", END_S, since_ns=last_ns).t_ns
        emit("last_packet_to_published", "ms", PEERS, [(published_ns - last_ns) / MS])


def flap(hub: LargeHub, place: str) -> tuple[int, float | None]:
    """Let the router send from `place`; return when its packet came, and the ms until it was seen, None if never."""
    forgetting_ns = hub.log.note("lab", "forget").t_ns
    hub.tap.send({"forget": place})
    hub.log.expect("tap", "forgot", STEP_S, since_ns=forgetting_ns)
    hub.take_address(place)
    since_ns = hub.send().t_ns
    packet_ns = hub.log.expect("tap", "packet", STEP_S, since_ns=since_ns, address=place).t_ns
    try:
        seen = hub.log.wait_for(
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
