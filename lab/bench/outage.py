"""`outage`: a site is away while the other moves; how long until both ends receive again, once it is back. Edge: labs.

Beside it the same product that leaves the router's stale connection to TCP's backoff. A sample's zero is the moment at
which the site's line is back; then the site sends one packet to the hub, as a site in use does. Each lab gives two
samples, one for each site, since a router's session is broken once a minute at most.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

from lab.bench.figures import OURS, Result, Series
from lab.checks.switch import settle
from lab.network.shell import LabError
from lab.testbed.lab import Lab

NAME = "outage"
AWAY_S, QUICK_AWAY_S = (5, 15, 30), (15,)
LABS = 3
AT_ONCE = 6
BACK_S = 90.0
MS = 1_000_000
SITES = ("site-a", "site-b")
MODULES = {OURS: "wgmqtt", "wgmqtt, TCP alone": "lab.bench.daemon_without_resets"}
METRICS = ("applied", "direct")

_starting = threading.Semaphore(2)  # a lab's start is work; afterwards it sleeps


@dataclass(frozen=True, slots=True)
class Outage:
    """One lab: which daemon, and how long each site is away."""

    subject: str
    away_s: int
    samples: int


def run(*, quick: bool) -> Result:
    """Measure all labs, some at once: they sleep nearly all the time."""
    times = QUICK_AWAY_S if quick else AWAY_S
    labs = [Outage(subject, away_s, 1 if quick else 2) for away_s, subject in product(times, MODULES)]
    failures: list[str] = []
    samples: dict[tuple[str, str], list[float]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for outage, found in zip(labs := labs * (1 if quick else LABS), pool.map(measured, labs), strict=True):
            if isinstance(found, str):
                failures.append(found)
                continue
            for metric, ms in found:
                samples.setdefault((outage.subject, f"back_{outage.away_s}s_to_{metric}"), []).append(ms)
    figures = [
        Series(NAME, subject, len(SITES), metric, "ms", each).figure() for (subject, metric), each in samples.items()
    ]
    return Result(sorted(figures, key=lambda figure: (len(figure.metric), figure.metric)), failures)


def measured(outage: Outage) -> Sequence[tuple[str, float]] | str:
    """Return metric and milliseconds of one lab's samples, or what went wrong."""
    try:
        with started(outage.subject) as lab:
            found = [each for away in SITES[: outage.samples] for each in measure(lab, away, outage.away_s)]
    except LabError as error:
        return f"{outage}: {error}"
    print(f"  {outage.subject}, away {outage.away_s} s: {', '.join(f'{name} {ms:.0f} ms' for name, ms in found)}")
    return found


@contextmanager
def started(subject: str) -> Iterator[Lab]:
    """Give two sites that have met."""
    with _starting:
        lab = Lab()
        try:
            lab.daemon.module = MODULES[subject]
            lab.start()
        except BaseException:
            lab.close()
            raise
    with lab:
        yield lab


def measure(lab: Lab, away: str, away_s: int) -> Iterator[tuple[str, float]]:
    """Cut one site off, move the other, and give metric and milliseconds from its return."""
    moves = next(name for name in SITES if name != away)
    site = lab.network.sites[away]
    settle(lab)
    lab.network.cut(site)
    moved = lab.move(moves)
    lab.log.collect(away_s, "lab", "", since_ns=moved.t_ns)
    lab.network.restore(site)
    back = lab.log.note("lab", "back", site=away)
    site.speak_to_hub()
    applied_ns = lab.log.expect(away, "set", BACK_S, since_ns=back.t_ns).t_ns
    direct_ns = lab.direct(moves, away, BACK_S, since_ns=back.t_ns)
    for metric, t_ns in zip(METRICS, (applied_ns, direct_ns), strict=True):
        yield metric, (t_ns - back.t_ns) / MS
