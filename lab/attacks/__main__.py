"""Runs attacks by name, and prints one line for each; lab/attacks.sh starts it. Exit status 1 if one was not held."""

import argparse
import signal
import sys
from types import FrameType

from lab.attacks import bad_broker, hostile_hub, hub_credential, internet, local, stolen_router, stolen_viewer
from lab.attacks.attack import Attack
from lab.network.shell import LabError

ROOMS = (stolen_router, stolen_viewer, hub_credential, bad_broker, internet, hostile_hub, local)
ATTACKS: tuple[Attack, ...] = tuple(attack for room in ROOMS for attack in room.ATTACKS)


def stop(number: int, _frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that every testbed is removed."""
    raise SystemExit(128 + number)


def chosen() -> list[Attack]:
    """Return the attacks that the command line names, or all."""
    rows = "\n".join(f"  {attack.name:20} {attack.attacker}: {attack.bound}" for attack in ATTACKS)
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="lab/attacks.sh", formatter_class=form, epilog=f"names:\n{rows}")
    parser.add_argument("names", metavar="NAME", nargs="*", help="attacks to run; default: all")
    names = parser.parse_args().names
    by_name = {attack.name: attack for attack in ATTACKS}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        parser.error(f"no such attack: {', '.join(unknown)}; there are: {', '.join(by_name)}")
    return [by_name[name] for name in names] or list(ATTACKS)


def run(attack: Attack) -> bool:
    """Run one attack, print its line, and return whether the defence held."""
    try:
        verdict = attack.run(1.0)
    except LabError as error:
        print(f"{attack.name:20} {attack.attacker}: {attack.bound}: NOT MEASURED: {error}", flush=True)
        return False
    state = "held" if verdict.is_held else "NOT HELD"
    print(f"{attack.name:20} {attack.attacker}: {attack.bound}: {verdict.measured}: {state}", flush=True)
    return verdict.is_held


def main() -> int:
    """Run them, and return the exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    held = [run(attack) for attack in chosen()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
