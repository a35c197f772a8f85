"""`outage`: a site is offline while the other moves; the time from its return until both ends receive again.

Beside it, the same for a daemon that resets no stale connections, so that TCP's back-off decides. Times are measured
from the moment at which the site is connected again; then the site sends one packet to the hub, as a site in use does.
Each lab gives two samples, one for each site, because a router's connection is reset at most once a minute.
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
OFFLINE_S, QUICK_OFFLINE_S = (5, 15, 30), (15,)
LABS = 3
AT_ONCE = 6
BACK_S = 180.0
MS = 1_000_000
SITES = ("site-a", "site-b")
MODULES = {OURS: "wgmqtt", "wgmqtt, TCP alone": "lab.bench.daemon_without_resets"}
METRICS = ("applied", "direct")

_starting = threading.Semaphore(2)  # only starting a lab needs CPU time


@dataclass(frozen=True, slots=True)
class Outage:
    """One lab: which daemon, and how long each site is offline."""

    subject: str
    away_s: int
    samples: int


def run(*, quick: bool) -> Result:
    """Measure all labs, some at once, because they sleep nearly all the time."""
    times = QUICK_OFFLINE_S if quick else OFFLINE_S
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
    """Return the metric and milliseconds of one lab's samples, or the error."""
    try:
        with started(outage.subject) as lab:
            found = [each for away in SITES[: outage.samples] for each in measure(lab, away, outage.away_s)]
    except LabError as error:
        return f"{outage}: {error}"
    print(f"  {outage.subject}, offline {outage.away_s} s: {', '.join(f'{name} {ms:.0f} ms' for name, ms in found)}")
    return found


@contextmanager
def started(subject: str) -> Iterator[Lab]:
    """Give two sites with a direct path."""
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
    """Disconnect one site, move the other, and yield metric and milliseconds since the first one's return."""
    moves = next(name for name in SITES if name != away)
    site = lab.network.sites[away]
    settle(lab)
    lab.network.cut(site)
    moved = lab.move(moves)
    lab.log.collect(away_s, "lab", "", since_ns=moved.t_ns)
    lab.network.restore(site)
    back = lab.log.note("lab", "back", site=away)
    site.send_to_hub()
    applied_ns = lab.log.expect(away, "set", BACK_S, since_ns=back.t_ns).t_ns
    direct_ns = lab.direct(moves, away, BACK_S, since_ns=back.t_ns)
    for metric, t_ns in zip(METRICS, (applied_ns, direct_ns), strict=True):
        yield metric, (t_ns - back.t_ns) / MS
