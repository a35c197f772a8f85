"""The demonstration: two sites meet, one moves, both find each other again; and the control. Edge: a program.

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
from lab.testbed.events import Event
from lab.testbed.lab import Lab, Setting
from wgmqtt.errors import Problem

MOVED, OTHER = "site-a", "site-b"
CONTROL_S = 12.0
DAMPED_S = 2.0  # who moves again within a second of being told is taken for flapping, and told a second later
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
    """One thing that was shown, with its steps."""

    family: Family
    what: str
    steps: tuple[Step, ...]

    @property
    def total_ms(self) -> float:
        """Return the milliseconds of the last step."""
        return self.steps[-1].ms


def say(text: str) -> None:
    """Print one line at once."""
    print(text, flush=True)


def has_ipv6() -> bool:
    """Return whether this machine's kernel speaks IPv6."""
    return Path("/proc/net/if_inet6").exists()


def show_family(family: Family) -> list[Run]:
    """Show everything over one family of addresses; returns what was shown."""
    say(f"\n=== over IPv{family} ===")
    with Lab(Setting(family=family)) as lab:
        network = lab.network
        kind = "wireguard-go" if network.hub_device.process else "the kernel's"
        a, b = network.sites[MOVED].wan_address, network.sites[OTHER].wan_address
        say(PICTURE.format(hub=network.hub_address, a=a, b=b))
        say(f"WireGuard: {kind}; RouterOS: emulated {lab.setting.routeros}, running what `wgmqtt gen-rsc` printed.")
        runs = [meet(lab, family)]
        runs.append(move(lab, family, f"{MOVED} moves"))
        time.sleep(DAMPED_S)
        runs.append(move(lab, family, f"{MOVED} moves back"))
    return runs


def meet(lab: Lab, family: Family) -> Run:
    """Let both sites meet for the first time."""
    say("\n-- both sites import the script; neither knows where the other is")
    lab.import_scripts()
    since_ns = lab.log.note("lab", "meeting").t_ns
    lab.start_daemon()
    ms = (lab.all_meet(since_ns=since_ns) - since_ns) / MS
    step = Step("wgmqtt started, seen, published, applied: direct both ways", ms)
    say(f"  {ms:9.1f} ms  {step.what}")
    return Run(family, "first meeting", (step,))


def move(lab: Lab, family: Family, what: str) -> Run:
    """Move the site, and follow the switch."""
    since_ns = begin_move(lab, what).t_ns
    return Run(family, what, tuple(Timeline(lab, MOVED, OTHER).follow(since_ns)))


def begin_move(lab: Lab, what: str) -> Event:
    """Give the site its other address, and let one packet of it reach the hub, as any traffic does."""
    site = lab.network.sites[MOVED]
    say(f"\n-- {what}: {site.wan_address} becomes {site.other_wan_address}, every NAT mapping is gone")
    event = lab.move(MOVED)
    say("   (one packet of the site's own traffic to the hub; without any, the keepalive of 25 s would be the first)")
    site.pings("10.99.0.1")
    return event


def show_control(family: Family) -> list[Run]:
    """Show that it is the daemon that does it: without it a moved site stays out of direct reach.

    In a lab of its own: above, the NAT of the site that stayed still lets packets from both addresses in.
    """
    say("\n=== control, in a new lab ===")
    with Lab(Setting(family=family)) as lab:
        return [meet(lab, family), *without_daemon(lab, family)]


def without_daemon(lab: Lab, family: Family) -> list[Run]:
    """Move a site while the daemon is stopped, and start it again."""
    with lab.daemon_stopped():
        since_ns = begin_move(lab, f"wgmqtt is stopped, {MOVED} moves").t_ns
        one, other = lab.network.sites[MOVED], lab.network.sites[OTHER]
        end_s = time.monotonic() + CONTROL_S
        while time.monotonic() < end_s:
            one.send_to(other)
            other.send_to(one)
            time.sleep(0.5)
        if not lab.never_direct(MOVED, OTHER, 0.0, since_ns=since_ns):
            raise LabError(Problem("control", "the sites met without the daemon, so this lab proves nothing"))
        step = Step(f"both sites tried for {CONTROL_S:.0f} s: not reached directly, as expected", CONTROL_S * 1000)
        say(f"  {step.ms:9.1f} ms  {step.what}")
        restarted = lab.log.note("lab", "daemon-returns")
    ms = (lab.direct(MOVED, OTHER, 30.0, since_ns=restarted.t_ns) - restarted.t_ns) / MS
    back = Step("wgmqtt started again: direct both ways", ms)
    say(f"  {back.ms:9.1f} ms  {back.what}")
    return [Run(family, "control: without wgmqtt", (step,)), Run(family, "control: wgmqtt is back", (back,))]


def summarize(runs: list[Run], file: Path | None) -> None:
    """Print one line for each run, and write all of it as JSON."""
    say("\n=== summary ===")
    for run in runs:
        say(f"  IPv{run.family}  {run.what:32} {run.total_ms:9.1f} ms  {run.steps[-1].what}")
    say("Everything expected happened. One run each: for medians over many, bash lab/bench.sh.")
    if file:
        file.write_text(json.dumps([asdict(run) for run in runs], indent=2) + "\n")


def stop(number: int, _frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that everything is cleaned up on the way out."""
    raise SystemExit(128 + number)


def main() -> int:
    """Show everything, and return the exit status."""
    arguments = argparse.ArgumentParser(prog="lab/demo.sh", description="Two sites behind NAT find each other again.")
    arguments.add_argument("--json", metavar="FILE", type=Path, help="write the timelines as JSON")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        runs = show_family(4)
        if has_ipv6():
            runs += show_family(6)
        else:
            say("\nThis machine has no IPv6: not shown over IPv6.")
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
