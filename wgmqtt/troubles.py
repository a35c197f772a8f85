"""What is wrong with a router or a link, in words, with the next step: two tables of rules. Pure."""

from collections.abc import Callable

from wgmqtt.events import Now
from wgmqtt.links import HOPELESS_TRIES, LIVE_S
from wgmqtt.model import Link, Router
from wgmqtt.report import Report
from wgmqtt.state import LinkView, State
from wgmqtt.tables import told_endpoint

SILENT_S = 180.0  # a WireGuard session ends so long after its handshake
PATIENCE_S = 60.0

RouterRule = Callable[[State, Router, Now], str]
LinkRule = Callable[[State, Link, Now], str]


def router_trouble(state: State, router: Router, now: Now) -> str:
    """Return what is wrong with a router, the most basic thing first; empty if nothing is."""
    return next((said for rule in ROUTER_RULES if (said := rule(state, router, now))), "")


def link_trouble(state: State, link: Link, now: Now) -> str:
    """Return what is wrong with a link that is not direct; empty if nothing is."""
    return next((said for rule in LINK_RULES if (said := rule(state, link, now))), "")


def _never_seen(state: State, router: Router, _now: Now) -> str:
    seen = state.seen.get(router.key)
    if seen is not None and seen.sighting.handshake_s:
        return ""
    return "never seen at the hub: check its WireGuard peer for the hub, and its key in the configuration"


def _silent(state: State, router: Router, now: Now) -> str:
    age_s = now.wall_s - state.seen[router.key].sighting.handshake_s
    return "no handshake with the hub for over 3 minutes: it is off, or offline" if age_s > SILENT_S else ""


def _unheard(state: State, router: Router, _now: Now) -> str:
    if router.name in state.reports:
        return ""
    return "never heard: import its script, then look at /iot/mqtt/brokers/print on it"


def _late(state: State, router: Router, now: Now) -> str:
    asked_s = state.unanswered_s.get(router.name, now.mono_s)
    return "does not answer: look at its log for wgmqtt" if now.mono_s - asked_s > PATIENCE_S else ""


def _refuses(state: State, router: Router, _now: Now) -> str:
    error = state.reports[router.name].error
    return f"refuses entries ({error[:60]}): has it a peer for each router that it is linked to?" if error else ""


def _older_script(state: State, router: Router, _now: Now) -> str:
    script = state.reports[router.name].script
    return "runs another version of the script: import the present one" if script != state.script else ""


def _failed(state: State, router: Router, _now: Now) -> str:
    failed = any(peer.did == "failed" for peer in state.reports[router.name].peers)
    return "could not set an endpoint: look at its log for wgmqtt" if failed else ""


ROUTER_RULES: tuple[RouterRule, ...] = (_never_seen, _silent, _unheard, _late, _refuses, _older_script, _failed)


def _end_in_trouble(state: State, link: Link, now: Now) -> str:
    for name in (link.first, link.second):
        if router_trouble(state, state.roster.by_name[name], now):
            return f"see {name}"
    return ""


def _one_address(state: State, link: Link, _now: Now) -> str:
    first, second = (told_endpoint(state, name) for name in (link.first, link.second))
    if first is None or second is None or first.address != second.address:
        return ""
    return "both are behind one public address: if they share a network, give both a common site and a lan address"


def _own_mapping(state: State, link: Link, _now: Now) -> str:
    """Another router sees this one elsewhere than the hub does, and it answers there."""
    for at, of in ((link.first, link.second), (link.second, link.first)):
        told, report = told_endpoint(state, of), state.reports.get(at)
        current = _live_endpoint(report, state, of)
        if current and told and current != str(told):
            return f"the NAT of {of} shows each other end another port (endpoint-dependent)"
    return ""


def _live_endpoint(report: Report | None, state: State, of: str) -> str:
    key = state.roster.by_name[of].key
    for peer in report.peers if report else ():
        if peer.key == key and peer.current and peer.handshake_s is not None and peer.handshake_s < LIVE_S:
            return str(peer.current)
    return ""


def _hopeless(state: State, link: Link, _now: Now) -> str:
    if state.links.get(link, LinkView()).tries < HOPELESS_TRIES:
        return ""
    return "the NATs do not let them meet: forward the WireGuard port at one end, or leave it to the hub"


LINK_RULES: tuple[LinkRule, ...] = (_end_in_trouble, _one_address, _own_mapping, _hopeless)
