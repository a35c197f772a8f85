"""Send hostile tables to the emitted script for a given time.

`python -m lab.fuzz.runner SECONDS [--seed N]` prints the number of tables, with a line each minute, and stops with exit
status 1 at the first table that does harm. `python -m lab.fuzz.runner --again SEED` repeats one table and prints
everything that happens.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from lab.fuzz.handler_rig import DEAD_S, LIVE_S, Outcome, Rig, peer, place_of, with_reality
from lab.fuzz.harm import HarmError, judge, kept_by
from lab.fuzz.hostile_tables import hostile_table, numbers_of
from lab.fuzz.hostile_texts import OTHER_INTERFACE
from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.models.router import Peer
from lab.routeros.switches import Switches, parse_switches

VERSIONS = ("7.17.1", "7.18.2", "7.19.6", "7.20.8", "7.21.5", "7.22.3", "7.23.3", "7.24")
ELSEWHERE = ("203.0.113.9", 4000)
REPORT_EVERY_S = 60.0
POSITIONS: Mapping[str, Sequence[str]] = {
    "same_endpoint_disturbs": ("no", "yes"),
    "same_endpoint_ignored": ("no", "yes"),
    "get_gives": ("ip", "str"),
    "hook_permissions": ("all", "no-test"),
    "hook_globals": ("own", "shared"),
    "ping_lasts": ("answer", "interval", "second"),
    "odd_values": ("refuse", "text", "number"),
}
# The switches of the language; each combination of the positions above goes with one combination of these.
LANGUAGE_POSITIONS: Mapping[str, Sequence[str]] = {
    "nil_condition": ("neither", "else", "error"),
    "empty_array": ("array", "text"),
    "bracket_statement": ("alone", "continues"),
}
REPLAYS = 0.1  # the share of tables that arrive a second time

_NAMES = (*POSITIONS, *LANGUAGE_POSITIONS)
_LANGUAGE = tuple(product(*LANGUAGE_POSITIONS.values()))
SWITCHES = tuple(
    parse_switches(
        [
            f"{name}={position}"
            for name, position in zip(
                _NAMES, (*chosen, *_LANGUAGE[(number + number // len(_LANGUAGE)) % len(_LANGUAGE)]), strict=True
            )
        ]
    )
    for number, chosen in enumerate(product(*POSITIONS.values()))
)
# Peers 1 to 5: live at its configured endpoint, roamed and live, roamed and dead, never connected, dead.
PEERS: tuple[Peer, ...] = (
    peer(1, LIVE_S),
    with_reality(peer(2, LIVE_S, current=ELSEWHERE), ELSEWHERE),
    with_reality(peer(3, DEAD_S, current=ELSEWHERE), place_of(3)),
    with_reality(peer(4, None), place_of(4, 2000)),
    with_reality(peer(5, DEAD_S)),
)
OTHERS = (peer(OTHER_INTERFACE, LIVE_S, interface="wireguard2"),)


@dataclass(frozen=True, slots=True)
class Tried:
    """One table and its outcome; two outcomes if it was replayed."""

    payload: bytes
    outcomes: tuple[Outcome, ...]
    switches: Switches
    version: str


@lru_cache(maxsize=3_000)
def rig_of(switches: Switches, version: str) -> Rig:
    """Return a router with these switches; its peers are reset before each table."""
    return Rig(*PEERS, version=version, switches=switches, others=OTHERS)


def try_table(seed: int) -> Tried:
    """Generate table number `seed` and send it to a router.

    Raises:
        HarmError: the table did harm.
    """
    random = numbers_of(seed)
    switches, version = random.choice(SWITCHES), random.choice(VERSIONS)
    rig = rig_of(switches, version)
    rig.put_back()
    payload = hostile_table(random)
    outcomes = [_try_once(rig, payload)]
    if random.random() < REPLAYS:
        outcomes.append(_try_once(rig, payload))
        if outcomes[1].sets:
            raise HarmError(f"a replay wrote again: {outcomes[1].sets}")
    return Tried(payload, tuple(outcomes), switches, version)


def _try_once(rig: Rig, payload: bytes) -> Outcome:
    before = kept_by(rig)
    outcome = rig.get(payload)
    judge(rig, before, payload, outcome)
    return outcome


def run(seconds: float, first: int) -> int:
    """Send tables for `seconds`, the first with number `first`; return the exit status."""
    began = said = time.monotonic()
    tried = with_sets = sets = 0
    while (now := time.monotonic()) - began < seconds:
        try:
            result = try_table(first + tried)
        except (HarmError, NotImplementedInEmulator) as error:
            print(f"table {first + tried}: {error}\nrepeat it with: python -m lab.fuzz.runner --again {first + tried}")
            return 1
        tried += 1
        written = sum(len(outcome.sets) for outcome in result.outcomes)
        sets += written
        with_sets += written > 0
        if now - said > REPORT_EVERY_S:
            said = now
            print(f"{tried} tables in {now - began:.0f} s", flush=True)
    took_s = time.monotonic() - began
    print(
        f"{tried} hostile tables in {took_s:.0f} s ({tried / took_s:.0f} a second), numbers {first} to "
        f"{first + tried - 1}: no harm. {with_sets} of them contained something valid that was set ({sets} sets)."
    )
    return 0


def show(seed: int) -> int:
    """Send one table and print everything that happens."""
    random = numbers_of(seed)
    print(random.choice(SWITCHES), random.choice(VERSIONS))
    print(hostile_table(random))
    try:
        tried = try_table(seed)
    except HarmError as error:
        print(f"harm: {error}")
        return 1
    for outcome in tried.outcomes:
        print(*outcome.events, sep="\n")
    return 0


def main() -> int:
    """Read the arguments and run."""
    arguments = argparse.ArgumentParser(
        prog="python -m lab.fuzz.runner", description="Send hostile tables to the emitted script."
    )
    arguments.add_argument("seconds", nargs="?", type=float, default=60.0, help="duration; default: %(default)s")
    arguments.add_argument("--seed", type=int, default=0, help="number of the first table; default: %(default)s")
    arguments.add_argument("--again", type=int, metavar="SEED", help="repeat this table and print what happens")
    given = arguments.parse_args()
    return run(given.seconds, given.seed) if given.again is None else show(given.again)


if __name__ == "__main__":
    sys.exit(main())
