"""Run two sites behind NATs of two kinds: which pairs get a direct path, and the reason shown for the others.

Each pair meets (or not), then the first site moves. What the pair ends in is said by two witnesses: the sites' own
counters, and the hub's view, as `wgmqtt status` shows it.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

from lab.network.nat import Nat, NatKind
from lab.network.shell import LabError
from lab.testbed.lab import Lab
from lab.testbed.setting import PREFIX, Setting
from wgmqtt.wire.hub import decode_status

MEETING_S = 12.0  # enough for what can meet: WireGuard repeats an unanswered handshake after 5 s
VERDICT_S = 300.0  # four tries take 65 s and their handlers
CHANGES, CHANGE_S = 4, 6.0
POLL_S, HELD_S = 0.25, 3.0
MS = 1_000_000
SITES = ("site-a", "site-b")
STATUS = f"{PREFIX}/hub/hub1/status"
SAME = "same NAT"
SAME_LAN = "same NAT, site and lan given"  # the move does not touch this path: it waits for the next packet

_starting = threading.Semaphore(3)  # a lab's start is work; afterwards it sleeps


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sites and the NATs in front of them."""

    name: str
    nat: Nat
    routers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    """The result of a pair: the milliseconds until it was direct, or the reason shown; neither if empty."""

    ms: float | None = None
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.ms:.0f} ms" if self.ms is not None else self.reason or "NOTHING SAID"


@dataclass(frozen=True, slots=True)
class Row:
    """The results of one pair: at the start, and after the first site moved."""

    pair: str
    met: Ending
    moved: Ending


def pairs() -> list[Pair]:
    """Return every pair of kinds of NAT, and two sites behind one box."""
    kinds = combinations_with_replacement(NatKind, 2)
    grid = [Pair(f"{one.value} / {other.value}", dict(zip(SITES, (one, other), strict=True))) for one, other in kinds]
    behind: Nat = {"site-b": "site-a"}
    lan = {name: {"site": "home", "lan": f"192.168.{number}.2:13231"} for number, name in enumerate(SITES, 1)}
    return [*grid, Pair(SAME, behind), Pair(SAME_LAN, behind, lan)]


def run_pairs(wanted: Sequence[Pair], at_once: int) -> list[Row | LabError]:
    """Return the result of each pair, in order. Several labs run at once, because they mostly wait."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(_run_or_error, wanted))


def _run_or_error(pair: Pair) -> Row | LabError:
    try:
        return run_pair(pair)
    except LabError as error:
        return error


def run_pair(pair: Pair) -> Row:
    """Start two sites, move the first, and return both results."""
    with _starting:
        lab = Lab(Setting(nat=pair.nat, routers=pair.routers))
        try:
            lab.import_scripts()
        except BaseException:
            lab.close()
            raise
    with lab:
        since_ns = lab.log.note("lab", "meeting").t_ns
        lab.start_daemon()
        met = ending(lab, since_ns, MEETING_S)
        boxes = {id(site.box): site.box for site in lab.network.sites.values()}.values()
        changing = [box for box in boxes if box.kind is NatKind.CHANGING_PORT]
        since_ns = lab.move("site-a").t_ns
        for _ in range(CHANGES if changing else 0):
            for box in changing:
                box.change_port()
            for site in lab.network.sites.values():
                site.send_to_hub()
            time.sleep(CHANGE_S)
        return Row(pair.name, met, ending(lab, since_ns, VERDICT_S, is_changing=bool(changing)))


def ending(lab: Lab, since_ns: int, timeout_s: float, *, is_changing: bool = False) -> Ending:
    """Wait until both ends receive from each other directly, or the hub's view has said for a while why they do not.

    With a port that is changing, only a reason counts.
    """
    deadline, said_s, said = time.monotonic() + timeout_s, 0.0, ""
    while (now_s := time.monotonic()) < deadline:
        direct_ns = direct(lab, since_ns)
        if direct_ns and not is_changing:
            return Ending(ms=(direct_ns - since_ns) / MS)
        reason = marked(lab, since_ns, is_changing=is_changing)
        if reason != said:
            said_s, said = now_s, reason
        if said and now_s > said_s + HELD_S:
            return Ending(reason=said)
        time.sleep(POLL_S)
    return Ending()


def direct(lab: Lab, since_ns: int) -> int:
    """Return when (Unix time, ns) both ends had received from the other's current address; 0 if they have not."""
    first = [_received(lab, at, sender, since_ns) for at, sender in (SITES, SITES[::-1])]
    return max(first) if all(first) else 0


def _received(lab: Lab, at: str, sender: str, since_ns: int) -> int:
    site = lab.network.sites[sender]
    for event in lab.log.find(at, "rx", since_ns=since_ns, peer=sender):
        if any(address in str(event.data["endpoint"]) for address in (site.wan_address, site.plan.lan(2))):
            return event.t_ns
    return 0


def marked(lab: Lab, since_ns: int, *, is_changing: bool) -> str:
    """Return why the hub's newest status says that the link is down; empty if it is not down.

    A port that changes is a site's trouble, which may be direct for the moment.
    """
    messages = lab.log.find("viewer", "message", since_ns=since_ns, topic=STATUS)
    view = decode_status(str(messages[-1].data["payload"]).encode(), STATUS) if messages else None
    if view is None:
        return ""
    link = view.links[0]
    own = [f"{router.name}: {router.trouble}" for router in view.routers if router.trouble]
    if link.trouble.startswith("see ") or is_changing:
        return own[0] if own else ""
    return link.trouble if link.state == "down" else ""
