"""`switch`: one site moves; the time until both ends receive again, beside the known cron solution.

In each lab, which is new, each of two sites moves once, to an address that it never had. So neither mappings that an
earlier move left in a NAT box nor damping are part of the figures. The hub also has silent peers, a hundred peers in
all. Times are measured from the kernel's time stamp of the first packet from the new address at the hub.
"""

import json
import subprocess
import time
from dataclasses import dataclass, field
from random import SystemRandom

from lab.bench.figures import OURS, Figure, Result, Series
from lab.checks.switch import settle
from lab.network.netns import PROJECT, python_module
from lab.network.shell import LabError
from lab.network.wireguard import Device
from lab.testbed.events import Event
from lab.testbed.lab import Lab
from lab.testbed.setting import PREFIX
from lab.vm.interfaces import many_peers

NAME = "switch"
PEERS = 100
QUICK_LABS, FULL_LABS, BASELINES = 3, 50, 6
STEP_S = 60.0
PHASE_S = 1.0  # the daemon's polling interval; a move comes at any moment of it
BASELINE_S = 700.0  # longer than the slowest sample: 60 + 120 before the move, 60 + 60 + 180 after it, and starting
MS = 1_000_000
SITES = ("site-a", "site-b")


@dataclass(slots=True)
class Samples:
    """The milliseconds of every successful move by metric, and the errors of the others."""

    ms: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, metric: str, ms: float) -> None:
        """Add one sample."""
        self.ms.setdefault(metric, []).append(ms)

    def series(self, subject: str, peers: int) -> list[Figure]:
        """Return one figure per metric."""
        return [Series(NAME, subject, peers, metric, "ms", each).figure() for metric, each in self.ms.items()]


def run(*, quick: bool) -> Result:
    """Measure `QUICK_LABS` or `FULL_LABS` labs and, unless `quick`, the baseline after them."""
    ours = measure(QUICK_LABS if quick else FULL_LABS)
    processes = [] if quick else start_baselines()
    try:
        baseline = wait_for_baselines(processes)
    finally:
        for process in processes:
            process.terminate()
            process.wait()
    if quick:
        print("the known cron solution: left out by --quick, because one of its switches takes minutes")
    figures = ours.series(OURS, PEERS) + baseline.series("cron", len(SITES))
    return Result(figures, ours.failures + baseline.failures)


def measure(labs: int) -> Samples:
    """Measure a move of each site in each of these labs, and print a line for each lab."""
    samples = Samples()
    for number in range(1, labs + 1):
        try:
            with Lab() as lab:
                lab.start()
                others = many_peers(PEERS - len(SITES))
                lab.network.hub.run("wg", "addconf", Device.name, "/dev/stdin", text_in=others)
                for site in SITES:
                    measure_move(lab, site, samples)
        except LabError as error:
            samples.failures.append(f"lab {number}: {error}")
            print(f"  lab {number} of {labs}: failed", flush=True)
            continue
        last = ", ".join(f"{metric} {ms[-1]:.1f}" for metric, ms in samples.ms.items())
        print(f"  lab {number} of {labs}: {last} ms", flush=True)
    return samples


def measure_move(lab: Lab, moves: str, samples: Samples) -> None:
    """Move one site at a random moment, and add each step; raise LabError if one does not come."""
    stays = next(name for name in SITES if name != moves)
    settle(lab)
    time.sleep(SystemRandom().uniform(0, PHASE_S))
    since_ns = lab.move(moves).t_ns
    zero_ns = lab.first_packet(moves, STEP_S, since_ns=since_ns).t_ns
    log, address = lab.log, lab.network.sites[moves].wan_address

    def names_it(event: Event) -> bool:
        is_table = event.matches("viewer", "message", topic=f"{PREFIX}/{stays}/endpoints")
        return is_table and address in str(event.data["payload"])

    direct_ns = lab.direct(moves, stays, STEP_S, since_ns=since_ns)
    steps = {
        "packet_to_seen": log.expect("hub", "endpoint changed", STEP_S, since_ns=since_ns, router=moves).t_ns,
        "packet_to_published": log.wait_for(names_it, STEP_S, since_ns=since_ns, what=f"a table for {stays}").t_ns,
        "packet_to_applied": log.expect(stays, "set", STEP_S, since_ns=since_ns).t_ns,
        "packet_to_direct": direct_ns,
    }
    for metric, t_ns in steps.items():
        samples.add(metric, (t_ns - zero_ns) / MS)


def start_baselines() -> list[subprocess.Popen[str]]:
    """Start all labs of the baseline at once, because they sleep nearly all the time."""
    print(f"the known cron solution: {BASELINES} labs at once, one switch each, some minutes", flush=True)
    command = python_module("lab.bench.cron_baseline")
    return [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(BASELINES)]


def wait_for_baselines(processes: list[subprocess.Popen[str]]) -> Samples:
    """Return what they measured, once all have ended."""
    samples = Samples()
    deadline = time.monotonic() + BASELINE_S
    for number, process in enumerate(processes, 1):
        try:
            text, _ = process.communicate(timeout=max(1.0, deadline - time.monotonic()))
            samples.add("packet_to_direct", float(json.loads(text)["ms"]))
        except (subprocess.TimeoutExpired, ValueError):
            samples.failures.append(f"cron lab {number} of {len(processes)}: no result, see above")
            continue
        print(f"  cron lab {number} of {len(processes)}: packet_to_direct {samples.ms['packet_to_direct'][-1]:.0f} ms")
    return samples
