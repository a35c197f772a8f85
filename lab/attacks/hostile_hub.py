"""What a hub can do to a router whose script is `wgmqtt gen-rsc`'s: the handler runs on an emulated router."""

from lab.attacks.attack import Attack, Verdict
from lab.fuzz.handler_rig import Rig, entry, peer, ping_of, place_of, table
from lab.routeros.switches import Switches

ATTACKER = "a hostile hub towards a router"
FOREIGN = ("10.97.0.1", "192.168.88.1", "8.8.8.8", "10.99.0.1", "127.0.0.1", "255.255.255.255", ping_of(2))
FORBIDDEN = ("0.0.0.1", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "ff02::1", "::1", "::")
PEERS, TABLES, SPAN_S = 12, 60, 60.0
MOST_WRITES, MOST_PINGS = 150, 600  # a minute, as README.md states


def name_foreign_pings(slack: float) -> Verdict:  # noqa: ARG001 - nothing here depends on time
    """Name ping addresses outside of the allowed addresses of the peer that the entry is about."""
    pinged = set[str]()
    for address in FOREIGN:
        rig = Rig(peer(1), peer(2))
        pinged.update(rig.get(table(entry(1, place_of(1, 2000), ping=address, kick=True))).pings)
    return Verdict(
        not pinged & set(FOREIGN),
        f"{len(FOREIGN)} foreign addresses, pinged: {', '.join(sorted(pinged & set(FOREIGN))) or 'none'}",
    )


def name_forbidden_endpoints(slack: float) -> Verdict:  # noqa: ARG001 - nothing here depends on time
    """Name endpoints that no peer can have."""
    written = []
    for address in FORBIDDEN:
        written += [each.place[0] for each in Rig(peer(1)).get(table(entry(1, (address, 2000)))).sets]
    return Verdict(not written, f"{len(FORBIDDEN)} forbidden addresses, written: {', '.join(written) or 'none'}")


def flood_with_tables(slack: float) -> Verdict:  # noqa: ARG001 - the router's clock is a model
    """Publish many tables in a minute, each with other endpoints for all peers.

    The limits count over a minute in global variables; where RouterOS does not keep those between handlers, which is
    not known, they hold for each table.
    """
    writes, pings = _cost_a_minute(Switches(hook_globals="shared"))
    own_writes, own_pings = _cost_a_minute(Switches(hook_globals="own"))
    is_held = writes <= MOST_WRITES and pings <= MOST_PINGS
    text = f"{writes:.0f} writes and {pings:.0f} pings a minute"
    return Verdict(is_held, f"{text}; {own_writes:.0f} and {own_pings:.0f} if global variables are not kept")


def _cost_a_minute(switches: Switches) -> tuple[float, float]:
    """Return the writes and the pings within a minute."""
    numbers = range(1, PEERS + 1)
    rig = Rig(*map(peer, numbers), switches=switches)
    writes = pings = 0
    began_s = rig.clock.now_ns() / 1e9
    for number in range(TABLES):
        ahead_s = began_s + number * SPAN_S / TABLES - rig.clock.now_ns() / 1e9
        if ahead_s > 0:
            rig.clock.sleep(ahead_s)
        entries = [entry(each, place_of(each, 2000 + number), kick=True) for each in numbers]
        outcome = rig.get(table(*entries, seq=str(10 + number)))
        writes += len(outcome.sets)
        pings += len(outcome.pings)
    minutes = max(1.0, (rig.clock.now_ns() / 1e9 - began_s) / 60)
    return writes / minutes, pings / minutes


ATTACKS = (
    Attack("foreign-pings", ATTACKER, f"{len(FOREIGN)} tables", name_foreign_pings),
    Attack("forbidden-endpoints", ATTACKER, f"{len(FORBIDDEN)} tables", name_forbidden_endpoints),
    Attack("table-flood", ATTACKER, f"{TABLES} tables about {PEERS} peers in a minute", flood_with_tables),
)
