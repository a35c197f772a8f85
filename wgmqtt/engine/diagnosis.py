"""What is wrong with a router or a link, in words, with the next step: two tables of rules. Pure."""

from collections.abc import Callable

from wgmqtt.engine import conflicts, port_churn, rejected_packets
from wgmqtt.engine.events import Now
from wgmqtt.engine.links import HOPELESS_TRIES, LIVE_S
from wgmqtt.engine.state import LinkView, State, unreadable
from wgmqtt.engine.tables import told_endpoint
from wgmqtt.model import Link, Router
from wgmqtt.wire.report import ReportPeer

SILENT_S = 180.0  # a WireGuard session ends so long after its handshake
PATIENCE_S = 60.0

RouterRule = Callable[[State, Router, Now], str]
LinkRule = Callable[[State, Link, Now], str]


def hub_trouble(state: State) -> str:
    """Return what is wrong with the hub itself, which then explains what its routers seem to lack; empty if nothing."""
    unread = sorted(each.removeprefix("interface ") for each in state.troubles if each.startswith("interface "))
    return f"cannot read {', '.join(unread)}: check wg show on the hub, then the daemon's log" if unread else ""


def router_trouble(state: State, router: Router, now: Now) -> str:
    """Return what is wrong with a router, the most basic thing first; empty if nothing is."""
    return next((said for rule in ROUTER_RULES if (said := rule(state, router, now))), "")


def router_note(state: State, router: Router) -> str:
    """Return what is worth knowing of a router, though it works; empty if nothing is."""
    report = state.reports.get(router.name)
    if report is None or report.stage != "final" or report.script != state.script or "ping" in report.caps:
        return ""
    return "its handler may not ping, so a new path opens only with the next keepalive from either end"


def link_trouble(state: State, link: Link, now: Now) -> str:
    """Return what is wrong with a link that is not direct; empty if nothing is."""
    return next((said for rule in LINK_RULES if (said := rule(state, link, now))), "")


def _never_seen(state: State, router: Router, _now: Now) -> str:
    seen = state.seen.get(router.key)
    if seen is not None and seen.sighting.handshake_s:
        return ""
    return (
        "no handshake with the hub yet: check the router's WireGuard peer for the hub, and "
        "its public_key in the configuration"
    )


def _refused(state: State, router: Router, now: Now) -> str:
    seen = state.seen[router.key].sighting
    if now.wall_s - seen.handshake_s <= SILENT_S or not seen.endpoint:
        return ""
    if not rejected_packets.are_refused(state, seen.endpoint.address, now):
        return ""
    return "WireGuard rejects packets from its address: check the router's clock (NTP), and whether its key was changed"


def _silent(state: State, router: Router, now: Now) -> str:
    age_s = now.wall_s - state.seen[router.key].sighting.handshake_s
    return (
        "no handshake with the hub for over 3 minutes: check that the router is on, online, "
        "and that its clock is right (NTP)"
        if age_s > SILENT_S
        else ""
    )


def _unheard(state: State, router: Router, _now: Now) -> str:
    if router.name in state.reports:
        return ""
    return "has never reported: import its script, then check /iot/mqtt/brokers/print and /log/print on the router"


def _unreadable(state: State, router: Router, _now: Now) -> str:
    if unreadable(router.name) not in state.troubles:
        return ""
    return "sends malformed reports: import the current script, and check who else knows its password"


def _late(state: State, router: Router, now: Now) -> str:
    asked_s = state.unanswered_s.get(router.name, now.mono_s)
    return "does not answer: check its log for wgmqtt" if now.mono_s - asked_s > PATIENCE_S else ""


def _refuses(state: State, router: Router, _now: Now) -> str:
    error = state.reports[router.name].error
    return f"rejected entries ({error[:60]}): check that it has a peer for each router it is linked to" if error else ""


def _older_script(state: State, router: Router, _now: Now) -> str:
    script = state.reports[router.name].script
    return "runs a different version of the script: import the current one" if script != state.script else ""


def _failed(state: State, router: Router, _now: Now) -> str:
    failed = any(peer.did == "failed" for peer in state.reports[router.name].peers)
    return "could not set an endpoint: check its log for wgmqtt" if failed else ""


def _rewritten(state: State, router: Router, now: Now) -> str:
    names = ", ".join(conflicts.left_alone(state, router.name, now.mono_s))
    if not names:
        return ""
    return (
        f"something else on the router overwrites the endpoint of {names}: find that script or "
        "tool (suspended for an hour)"
    )


def _restless(state: State, router: Router, now: Now) -> str:
    if not port_churn.is_restless(state, router.key, now.mono_s):
        return ""
    return (
        "its port keeps changing at one address, so changes are published slowly: forward the "
        "WireGuard port on its NAT box"
    )


ROUTER_RULES: tuple[RouterRule, ...] = (
    _never_seen,
    _refused,
    _silent,
    _unreadable,
    _unheard,
    _late,
    _refuses,
    _older_script,
    _failed,
    _rewritten,
    _restless,
)


def _end_in_trouble(state: State, link: Link, now: Now) -> str:
    for name in (link.first, link.second):
        if router_trouble(state, state.roster.by_name[name], now):
            return f"see {name}"
    return ""


def _one_address(state: State, link: Link, now: Now) -> str:
    first, second = (told_endpoint(state, name) for name in (link.first, link.second))
    if first is None or second is None or first.address != second.address:
        return ""
    sites = [state.roster.by_name[name].site for name in (link.first, link.second)]
    if sites[0] and sites[0] == sites[1]:
        said = "both are behind one public address and cannot reach each other inside: check their lan addresses"
        return said if _hopeless(state, link, now) else ""
    return (
        "both are behind one public address: if they share a network, configure the same site "
        "and a lan address for both"
    )


def own_mapping(state: State, link: Link) -> str:
    """Return whose NAT shows each other end another port, in words; empty if none is known to."""
    for at, of in ((link.first, link.second), (link.second, link.first)):
        if _is_seen_elsewhere(state, at, of):
            return f"the NAT of {of} uses another port for each destination (endpoint-dependent)"
    return ""


def _seen_elsewhere(state: State, link: Link, _now: Now) -> str:
    said = own_mapping(state, link)
    return f"{said}: forward the WireGuard port there, or keep relaying through the hub" if said else ""


def _is_seen_elsewhere(state: State, at: str, of: str) -> bool:
    """Return whether router `at` hears `of` somewhere else than the hub does; inside one site that is no wonder."""
    told, line = told_endpoint(state, of), _line_of(state, at, of)
    if told is None or line is None or line.current is None or not _is_live(line):
        return False
    return line.current not in (told, state.roster.by_name[of].lan)


def _strayed(state: State, link: Link, _now: Now) -> str:
    for at, of in ((link.first, link.second), (link.second, link.first)):
        line = _line_of(state, at, of)
        if line and line.current and line.configured and line.current != line.configured and not _is_live(line):
            return f"{at} sends to {line.current}, where {of} no longer is: set again at the next attempt"
    return ""


def _line_of(state: State, at: str, of: str) -> ReportPeer | None:
    key, report = state.roster.by_name[of].key, state.reports.get(at)
    return next((peer for peer in report.peers if peer.key == key), None) if report else None


def _is_live(line: ReportPeer) -> bool:
    return line.handshake_s is not None and line.handshake_s < LIVE_S


def _hopeless(state: State, link: Link, _now: Now) -> str:
    if state.links.get(link, LinkView()).tries < HOPELESS_TRIES:
        return ""
    for name in (link.first, link.second):
        if any(_is_seen_elsewhere(state, each.other(name), name) for each in state.roster.links_of[name]):
            return (
                f"the NAT of {name} is endpoint-dependent: forward the WireGuard port there, or keep "
                "relaying through the hub"
            )
    return (
        "the NATs do not allow a direct path: forward the WireGuard port at one end, or keep relaying through the hub"
    )


LINK_RULES: tuple[LinkRule, ...] = (_end_in_trouble, _one_address, _seen_elsewhere, _strayed, _hopeless)
