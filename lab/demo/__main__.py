"""The demonstration: two sites get a direct path, one moves, the path comes back; and a control without wgmqtt.

`python -m lab.demo [--json FILE]`, as root, after lab/setup.sh. Exit status 1 if anything expected did not happen.
"""

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from lab.demo.timeline import MS, Step, Timeline
from lab.network.addresses import Family
from lab.network.shell import LabError
from lab.testbed.events import PATIENCE_S, Event
from lab.testbed.lab import Lab, Setting
from wgmqtt.errors import Problem

MOVED, OTHER = "site-a", "site-b"
CONTROL_S = 12.0
DAMPED_S = 2.0  # the table after a second move within a second would be delayed by damping
PICTURE = """
            hub (WireGuard, mosquitto, wgmqtt)
                    {hub}
                        |
        ----------- internet -----------
        |                              |
   NAT {a}         NAT {b}     (input policy: drop)
        |                              |
     site-a                         site-b      (WireGuard, the RouterOS script)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One demonstrated event, with its steps."""

    family: Family
    what: str
    steps: tuple[Step, ...]

    @property
    def total_ms(self) -> float:
        """Return the time of the last step in milliseconds."""
        return self.steps[-1].ms


def show(text: str) -> None:
    """Print one line and flush."""
    print(text, flush=True)


def has_ipv6() -> bool:
    """Return whether this machine's kernel supports IPv6."""
    return Path("/proc/net/if_inet6").exists()


def show_family(family: Family) -> list[Run]:
    """Demonstrate everything over one address family; return the runs."""
    show(f"\n=== over IPv{family} ===")
    with Lab(Setting(family=family)) as lab:
        network = lab.network
        kind = "wireguard-go" if network.hub_device.process else "kernel"
        a, b = network.sites[MOVED].wan_address, network.sites[OTHER].wan_address
        show(PICTURE.format(hub=network.hub_address, a=a, b=b))
        show(f"WireGuard: {kind}; RouterOS: emulated {lab.setting.routeros}, running the script of `wgmqtt gen-rsc`.")
        runs = [meet(lab, family)]
        runs.append(move(lab, family, f"{MOVED} moves"))
        time.sleep(DAMPED_S)
        runs.append(move(lab, family, f"{MOVED} moves back"))
    return runs


def meet(lab: Lab, family: Family) -> Run:
    """Let both sites get a direct path for the first time."""
    show("\n-- both sites import the script; neither knows the other's endpoint")
    lab.import_scripts()
    since_ns = lab.log.note("lab", "meeting").t_ns
    lab.start_daemon()
    ms = (lab.all_direct(since_ns=since_ns) - since_ns) / MS
    step = Step("wgmqtt started, tables published and applied: direct in both directions", ms)
    show(f"  {ms:9.1f} ms  {step.what}")
    return Run(family, "first direct path", (step,))


def move(lab: Lab, family: Family, what: str) -> Run:
    """Move the site, and follow the switch."""
    since_ns = begin_move(lab, what).t_ns
    return Run(family, what, tuple(Timeline(lab, MOVED, OTHER).follow(since_ns)))


def begin_move(lab: Lab, what: str) -> Event:
    """Give the site its other address, and let it send one packet to the hub, as any traffic does."""
    site = lab.network.sites[MOVED]
    show(f"\n-- {what}: {site.wan_address} becomes {site.other_wan_address}, and all NAT mappings are gone")
    event = lab.move(MOVED)
    show("   (the site sends one packet to the hub; without traffic, its keepalive of 25 s would be the first packet)")
    site.pings("10.99.0.1")
    return event


def show_control(family: Family) -> list[Run]:
    """Show that the daemon causes the switch: without it, a moved site has no direct path.

    This needs a new lab, because in the one above the NAT of the other site still accepts packets from both addresses.
    """
    show("\n=== control without wgmqtt, in a new lab ===")
    with Lab(Setting(family=family)) as lab:
        return [meet(lab, family), *without_daemon(lab, family)]


def without_daemon(lab: Lab, family: Family) -> list[Run]:
    """Move a site while the daemon is stopped, and start the daemon again."""
    with lab.daemon_stopped():
        since_ns = begin_move(lab, f"wgmqtt is stopped, {MOVED} moves").t_ns
        one, other = lab.network.sites[MOVED], lab.network.sites[OTHER]
        end_s = time.monotonic() + CONTROL_S
        while time.monotonic() < end_s:
            one.send_to(other)
            other.send_to(one)
            time.sleep(0.5)
        if not lab.never_direct(MOVED, OTHER, 0.0, since_ns=since_ns):
            raise LabError(
                Problem("control", "the direct path came back without the daemon, so this lab proves nothing")
            )
        step = Step(f"both sites sent for {CONTROL_S:.0f} s: no direct path, as expected", CONTROL_S * 1000)
        show(f"  {step.ms:9.1f} ms  {step.what}")
        restarted = lab.log.note("lab", "daemon-returns")
    ms = (lab.direct(MOVED, OTHER, PATIENCE_S, since_ns=restarted.t_ns) - restarted.t_ns) / MS
    back = Step("wgmqtt started again: direct in both directions", ms)
    show(f"  {back.ms:9.1f} ms  {back.what}")
    return [Run(family, "control: without wgmqtt", (step,)), Run(family, "control: wgmqtt started again", (back,))]


def summarize(runs: list[Run], file: Path | None) -> None:
    """Print one line per run, and write all runs as JSON."""
    show("\n=== summary ===")
    for run in runs:
        show(f"  IPv{run.family}  {run.what:32} {run.total_ms:9.1f} ms  {run.steps[-1].what}")
    show("Everything happened as expected. Each figure is a single run; for medians of many runs: bash lab/bench.sh")
    if file:
        file.write_text(json.dumps([asdict(run) for run in runs], indent=2) + "\n")


def stop(number: int, _frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that everything is cleaned up."""
    raise SystemExit(128 + number)


def main() -> int:
    """Demonstrate everything, and return the exit status."""
    arguments = argparse.ArgumentParser(
        prog="lab/demo.sh", description="A moved site behind NAT gets its direct path back."
    )
    arguments.add_argument("--json", metavar="FILE", type=Path, help="write the timelines as JSON")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        runs = show_family(4)
        if has_ipv6():
            runs += show_family(6)
        else:
            show("\nThis machine has no IPv6; the demonstration over IPv6 is left out.")
        runs += show_control(4)
    except LabError as error:
        print(f"demo: FAILED: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; everything was cleaned up", file=sys.stderr)
        return 130
    summarize(runs, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
