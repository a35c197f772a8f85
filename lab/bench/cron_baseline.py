"""The known cron solution as a baseline in the same lab: a file, a web server, and polling.

Every 60 s the hub writes `wg show … endpoints` to a file. A web server on the hub's tunnel address serves it. Every 60
s each site fetches it, and sets the endpoint of a peer only if the last handshake with that peer is older than 180 s.
There is no daemon and no MQTT. One packet a second in each direction keeps the direct path in use; without traffic the
baseline would be slower still, because `wg set` alone sends nothing.

`python -m lab.bench.cron_baseline` builds a lab, moves one site at a random moment of all these periods, and prints one
JSON line: {"event": "direct", "ms": …}, in milliseconds after the first packet from the new address.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Self

from lab.network.addresses import HUB_PORT, HUB_TUNNEL
from lab.network.netns import python_module
from lab.network.shell import CommandError, LabError
from lab.network.topology import Network, Site
from lab.network.wireguard import PeerState
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import EventLog
from wgmqtt.errors import Problem

WEB_PORT = 8080
FILE = "endpoints"
FETCH_S = 5.0
FETCH = (
    f"import urllib.request as u; print(u.urlopen('http://{HUB_TUNNEL}:{WEB_PORT}/{FILE}', timeout=4).read().decode())"
)
POLL_S = 1.0  # between two checks for the direct path: the resolution of the result
MEETING_S = 120.0
MOVES, STAYS = "site-a", "site-b"


@dataclass(frozen=True, slots=True)
class Timers:
    """The periods of the loops, the age from which a handshake is stale, and WireGuard's rekey period."""

    write_s: float = 60.0
    poll_s: float = 60.0
    stale_s: float = 180.0
    rekey_s: float = 120.0  # a session in use renews its handshake: WireGuard's paper, section 6.1


class Loop:
    """Calls a function periodically in a thread, for the first time after a random part of the period."""

    def __init__(self, period_s: float, act: Callable[[], None]) -> None:
        self._period_s = period_s
        self._act = act
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        pause_s = SystemRandom().uniform(0, self._period_s)
        while not self._end.wait(pause_s):
            self._act()
            pause_s = self._period_s

    def stop(self) -> None:
        """Stop, and wait for a call in progress."""
        self._end.set()
        self._thread.join()


class CronBaseline:
    """The hub's loop and web server, and the sites' loops, in a network whose sites know each other's endpoints."""

    def __init__(self, timers: Timers) -> None:
        self.timers = timers
        self.log = EventLog()
        self.network = Network(2, knows_endpoints=True)
        try:
            self._build()
        except BaseException:
            self.network.close()
            raise

    def _build(self) -> None:
        hub = self.network.hub
        self._folder = hub.directory / "web"
        self._folder.mkdir()
        web = python_module("http.server", "--bind", HUB_TUNNEL, "--directory", str(self._folder), str(WEB_PORT))
        with (hub.directory / "web.log").open("w") as log:
            hub.start(*web, output=log)
        tap = python_module("lab.probes.tap", "--interface", "wan", "--port", str(HUB_PORT))
        Child("tap", hub, tap, self.log, read_json_line)
        self.log.expect("tap", "ready", 10.0)
        for site in self.network.sites.values():
            self._use(site)
        timers = self.timers
        self._loops = [Loop(timers.write_s, self._write)]
        self._loops += [Loop(timers.poll_s, partial(self._poll, site)) for site in self.network.sites.values()]

    def _use(self, site: Site) -> None:
        others = [other for other in self.network.sites.values() if other is not site]
        with (site.namespace.directory / "ping.log").open("w") as log:
            for other in others:
                site.namespace.start("ping", "-q", "-n", "-i", "1", other.plan.probe, output=log)

    def _write(self) -> None:
        text = self.network.hub.run("wg", "show", "wg0", "endpoints")
        new = self._folder / "new"
        new.write_text(text)
        new.rename(self._folder / FILE)

    def _poll(self, site: Site) -> None:
        try:
            text = site.namespace.run(sys.executable, "-c", FETCH, timeout_s=FETCH_S)
        except CommandError:  # not written yet, or unreachable: retried in the next period
            return
        endpoints = dict(line.split("\t") for line in text.splitlines() if line)
        for key, peer in site.device.dump().items():
            is_stale = time.time() - peer.handshake_s > self.timers.stale_s
            endpoint = endpoints.get(key, "(none)")
            if is_stale and endpoint != "(none)":
                site.device.set_endpoint(key, endpoint)
                self.log.note(site.name, "set", endpoint=endpoint)

    def meet(self) -> None:
        """Return when both sites have received from each other."""
        self._wait(lambda: all(peer.rx for peer in self._ends()), MEETING_S, "the first direct path")

    def move(self) -> float:
        """Move a site; return the milliseconds from its first packet at the hub until both ends have received."""
        moves, stays = self.network.sites[MOVES], self.network.sites[STAYS]
        since_ns = self.log.note("lab", "move").t_ns
        moves.move()
        before = [peer.rx for peer in self._ends()]
        moves.send_to_hub()
        packet = self.log.expect("tap", "packet", MEETING_S, since_ns=since_ns, address=moves.wan_address)

        def is_direct() -> bool:
            at_stays = stays.peer(moves)
            knows = at_stays.endpoint is not None and at_stays.endpoint[0] == moves.wan_address
            return knows and at_stays.rx > before[1] and moves.peer(stays).rx > before[0]

        timers = self.timers
        limit_s = timers.write_s + 2 * timers.poll_s + timers.stale_s + 60.0
        self._wait(is_direct, limit_s, f"the path to {MOVES} after its move")
        return (time.time_ns() - packet.t_ns) / 1_000_000

    def _ends(self) -> tuple[PeerState, PeerState]:
        moves, stays = self.network.sites[MOVES], self.network.sites[STAYS]
        return moves.peer(stays), stays.peer(moves)

    @staticmethod
    def _wait(is_so: Callable[[], bool], limit_s: float, what: str) -> None:
        deadline = time.monotonic() + limit_s
        while not is_so():
            if time.monotonic() > deadline:
                raise LabError(Problem(what, f"did not come within {limit_s:.0f} s"))
            time.sleep(POLL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for loop in self._loops:
            loop.stop()
        self.network.close()


def measure(timers: Timers) -> float:
    """Build a lab, move at a random moment, and return the milliseconds from the first packet to the direct path."""
    with CronBaseline(timers) as baseline:
        baseline.meet()
        # Now the file is written, every site has fetched it, and the handshake can have any age.
        time.sleep(max(timers.write_s, timers.poll_s) + SystemRandom().uniform(0, timers.rekey_s))
        return baseline.move()


def main() -> int:
    """Measure once."""
    argparse.ArgumentParser(
        prog="python -m lab.bench.cron_baseline", description="One switch with the known cron solution."
    ).parse_args()
    try:
        ms = measure(Timers())
    except LabError as error:
        print(f"cron_baseline: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"event": "direct", "ms": ms}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
