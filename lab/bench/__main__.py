"""Runs benchmarks by name and prints their figures; lab/bench.sh starts it."""

import argparse
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from lab.bench import detect, fanout, flaps, flood, grid, growth, idle, outage, step, switch, web
from lab.bench.figures import ENOUGH_FOR_P99, Figure, Result, encode_figures, render_figures
from lab.network.shell import LabError


class Run(Protocol):
    """The function of a benchmark."""

    def __call__(self, *, quick: bool) -> Result:
        """Measure; with `quick` for at most 50 s. Raise LabError if nothing can be measured."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One row of the table: the function, and what it measures."""

    run: Run
    shows: str


BENCHES: Mapping[str, Bench] = {
    switch.NAME: Bench(switch.run, "a site moves: until both ends receive again; beside it the known cron solution"),
    detect.NAME: Bench(
        detect.run, "a router moves: from its first packet to the published table, with hints and without"
    ),
    outage.NAME: Bench(outage.run, "a site is offline while the other moves: from its return until both receive again"),
    step.NAME: Bench(step.run, "one move in the engine alone: its CPU time with 100 routers and with 10,000"),
    idle.NAME: Bench(idle.run, "nothing changes: the daemon's share of a core, and its memory"),
    growth.NAME: Bench(
        growth.run, "from 100 to 10,000 peers: the cost of a dump, and the time until a move is published"
    ),
    fanout.NAME: Bench(fanout.run, "a hundred linked routers move at once: until the last one has its newest table"),
    flaps.NAME: Bench(flaps.run, "a router flaps between two addresses: the changes that were seen, and when"),
    flood.NAME: Bench(flood.run, "a flood of spoofed packets: the daemon's CPU time, and real moves meanwhile"),
    grid.NAME: Bench(
        grid.run, "two sites behind NATs of all kinds: which links get direct, and which are marked why not"
    ),
    web.NAME: Bench(web.run, "the status page: until Chromium shows it, and what browser and server need"),
}


def stop(number: int, _frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that every lab is removed."""
    raise SystemExit(128 + number)


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    rows = "\n".join(f"  {name:10} {bench.shows}" for name, bench in BENCHES.items())
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="lab/bench.sh", formatter_class=form, epilog=f"names:\n{rows}")
    parser.add_argument("names", metavar="NAME", nargs="*", help="what to measure; default: everything")
    parser.add_argument("--quick", action="store_true", help="fewer samples: at most 50 s for one name")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to a JSON file, too")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
    return given


def main() -> int:
    """Run the benchmarks, print the figures, and return the exit status."""
    given = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    figures: list[Figure] = []
    failed = False
    for name in given.names or BENCHES:
        print(f"== {name}: {BENCHES[name].shows}", flush=True)
        began_s = time.monotonic()
        try:
            result = BENCHES[name].run(quick=given.quick)
        except LabError as error:
            result = Result([], [str(error)])
        figures += result.figures
        failed = failed or bool(result.failures)
        for failure in result.failures:
            print(f"bench: {name} FAILED: {failure}", file=sys.stderr)
        print(f"   {time.monotonic() - began_s:.0f} s", flush=True)
    print(render_figures(figures))
    print(f"n is the number of runs; a p99 is given from n = {ENOUGH_FOR_P99} on.")
    if given.json:
        given.json.write_bytes(encode_figures(figures))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
