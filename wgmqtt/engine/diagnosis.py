"""What is wrong with a router or a link, in words, with the next step: two tables of rules, the most basic first."""

from collections.abc import Callable

from wgmqtt.engine import address_churn, conflicts, port_churn, rejected_packets
from wgmqtt.engine.announcements import reason_not_to_publish
from wgmqtt.engine.events import Now
from wgmqtt.engine.links import HOPELESS_ATTEMPTS, is_alive
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.model import Endpoint, Link
from wgmqtt.wire.report import ReportPeer

SILENT_S = 180.0  # a WireGuard session ends this long after its handshake
PATIENCE_S = 60.0
MOST_NAMES = 3

RouterRule = Callable[[State, RouterRecord, Now], str]
LinkRule = Callable[[State, Link, Now], str]


def hub_trouble(state: State) -> str:
    """Return what is wrong with the hub itself, which then explains what its routers seem to lack; empty if nothing."""
    failed = ", ".join(sorted(state.failed_interfaces))
    return f"cannot read {failed}: check wg show on the hub, then the daemon's log" if failed else ""


def router_trouble(state: State, record: RouterRecord, now: Now) -> str:
    """Return the most basic thing that is wrong with a router; empty if nothing is."""
    return next((text for rule in ROUTER_RULES if (text := rule(state, record, now))), "")


def router_note(state: State, record: RouterRecord) -> str:
    """Return what is worth knowing about a router that works; empty if nothing is."""
    report = record.report
    if report is None or report.stage != "final" or report.script != state.script or "ping" in report.caps:
        return ""
    return "its handler may not ping, so a new path opens only with the next keepalive from either end"


def link_trouble(state: State, link: Link, now: Now) -> str:
    """Return the most basic thing that is wrong with a link that is not direct; empty if nothing is."""
    return next((text for rule in LINK_RULES if (text := rule(state, link, now))), "")


def link_note(state: State, link: Link) -> str:
    """Return what is worth knowing about a link that is direct; empty if nothing is."""
    return _second_line(state, link) or _endpoint_dependent_nat(state, link)


def _no_handshake(state: State, record: RouterRecord, _now: Now) -> str:
    if record.peer is not None and record.peer.handshake_s:
        return ""
    if state.failed_interfaces:
        return ""  # its peer may be on the interface that cannot be read, which `hub_trouble` names
    return (
        "no handshake with the hub yet: check the router's WireGuard peer for the hub, and "
        "its public_key in the configuration"
    )


def _rejected(state: State, record: RouterRecord, now: Now) -> str:
    if not _is_silent(record, now) or record.peer is None or record.peer.endpoint is None:
        return ""
    if not rejected_packets.are_rejected(state, record.peer.endpoint.address, now):
        return ""
    return "WireGuard rejects packets from its address: check the router's clock (NTP), and whether its key was changed"


def _silent(_state: State, record: RouterRecord, now: Now) -> str:
    if not _is_silent(record, now):
        return ""
    return (
        "no handshake with the hub for over 3 minutes: check that the router is on, online, "
        "and that its clock is right (NTP)"
    )


def _is_silent(record: RouterRecord, now: Now) -> bool:
    return record.peer is not None and now.wall_s - record.peer.handshake_s > SILENT_S


def _malformed_report(_state: State, record: RouterRecord, _now: Now) -> str:
    if not record.is_report_malformed:
        return ""
    return "sends malformed reports: import the current script, and check who else knows its password"


def _not_published(state: State, record: RouterRecord, _now: Now) -> str:
    if record.released is None or record.announced is not None:
        return ""
    reason = reason_not_to_publish(record.released, state.directory.config.also_publish)
    return (
        f"its endpoint {record.released} is not published, because {reason}: add its network to also_publish if the "
        "other routers can reach it there, else set its public_endpoint"
    )


def _no_report(state: State, record: RouterRecord, _now: Now) -> str:
    if record.report is not None:
        return ""
    if not state.has_report:
        port = state.directory.config.broker_for_routers.port
        return (
            "has never reported, nor has any other router: import its script; if that is done, check that the hub's "
            f"firewall accepts TCP port {port} from the tunnel"
        )
    return "has never reported: import its script, then check /iot/mqtt/brokers/print and /log/print on the router"


def _no_answer(_state: State, record: RouterRecord, now: Now) -> str:
    if record.unanswered_s is None or now.mono_s - record.unanswered_s <= PATIENCE_S:
        return ""
    return "does not answer: check its log for wgmqtt"


def _rejected_entries(_state: State, record: RouterRecord, _now: Now) -> str:
    error = record.report.error if record.report else ""
    return f"rejected entries ({error[:60]}): check that it has a peer for each router it is linked to" if error else ""


def _other_script(state: State, record: RouterRecord, _now: Now) -> str:
    if record.report is None or record.report.script == state.script:
        return ""
    return "runs a different version of the script: import the current one"


def _failed(_state: State, record: RouterRecord, _now: Now) -> str:
    has_failed = record.report is not None and any(peer.did == "failed" for peer in record.report.peers)
    return "could not set an endpoint: check its log for wgmqtt" if has_failed else ""


def _overwritten(state: State, record: RouterRecord, now: Now) -> str:
    names = conflicts.suspended_peers(state, record, now.mono_s)
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return (
        f"something else on the router overwrites the endpoint of {', '.join(names[:MOST_NAMES])}{more}: find that "
        "script or tool (suspended for an hour)"
    )


def _alternating(_state: State, record: RouterRecord, now: Now) -> str:
    addresses = address_churn.alternating(record, now.mono_s)
    if not addresses:
        return ""
    return (
        f"alternates between {' and '.join(addresses)}: if it has two lines, use one of them for WireGuard; else "
        "another router has a copy of its private key, and needs its own"
    )


def _changing_port(_state: State, record: RouterRecord, now: Now) -> str:
    if not port_churn.is_churning(record, now.mono_s):
        return ""
    return (
        "its port keeps changing at one address, so changes are published slowly: forward the "
        "WireGuard port on its NAT box"
    )


ROUTER_RULES: tuple[RouterRule, ...] = (
    _no_handshake,
    _rejected,
    _silent,
    _not_published,
    _malformed_report,
    _no_report,
    _no_answer,
    _rejected_entries,
    _other_script,
    _failed,
    _overwritten,
    _alternating,
    _changing_port,
)


def _end_in_trouble(state: State, link: Link, now: Now) -> str:
    for name in (link.first, link.second):
        if router_trouble(state, state.routers[name], now):
            return f"see {name}"
    return ""


def _no_common_family(state: State, link: Link, _now: Now) -> str:
    first, second = state.routers[link.first].announced, state.routers[link.second].announced
    if first is None or second is None or first.family == second.family:
        return ""
    return (
        f"{link.first} reaches the hub over IPv{first.family} and {link.second} over IPv{second.family}: let both use "
        "the same one, or keep relaying through the hub"
    )


def _disabled(state: State, link: Link, _now: Now) -> str:
    for at, of in ((link.first, link.second), (link.second, link.first)):
        line = _reported_line(state, at, of)
        if line is not None and line.did == "disabled":
            return f"the peer for {of} is disabled on {at}: enable it there, or remove this link from the configuration"
    return ""


def _contradiction(state: State, link: Link, _now: Now) -> str:
    known = state.links.get(link)
    if known is None or not known.is_contradictory:
        return ""
    receiver, other = (link.first, link.second) if known.first == "proven" else (link.second, link.first)
    return (
        f"{receiver} receives packets, but {other} reports that it receives none: check the input firewall of {other} "
        "and the UDP timeout of its NAT (/ip/firewall/connection/tracking)"
    )


def _same_address(state: State, link: Link, now: Now) -> str:
    first, second = state.routers[link.first], state.routers[link.second]
    if first.announced is None or second.announced is None or first.announced.address != second.announced.address:
        return ""
    if first.router.site and first.router.site == second.router.site:
        text = "both are behind one public address and cannot reach each other inside: check their lan addresses"
        return text if _hopeless(state, link, now) else ""
    return (
        "both are behind one public address: if they share a network, configure the same site "
        "and a lan address for both"
    )


def _other_address(state: State, link: Link, _now: Now) -> str:
    text = _second_line(state, link)
    return f"{text}: use one line for WireGuard there, or keep relaying through the hub" if text else ""


def _second_line(state: State, link: Link) -> str:
    """Return in words which end sends to the other from another address than to the hub; empty if none is known to."""
    for at, of in ((link.first, link.second), (link.second, link.first)):
        announced, current = state.routers[of].announced, _seen_elsewhere(state, at, of)
        if announced is not None and current is not None and current.address != announced.address:
            return f"{of} sends to {at} from {current.address}, but to the hub from {announced.address}"
    return ""


def _other_port(state: State, link: Link, _now: Now) -> str:
    text = _endpoint_dependent_nat(state, link)
    return f"{text}: forward the WireGuard port there, or keep relaying through the hub" if text else ""


def _endpoint_dependent_nat(state: State, link: Link) -> str:
    """Return in words whose NAT gives the other end another port than the hub; empty if none is known to."""
    for at, of in ((link.first, link.second), (link.second, link.first)):
        if _is_at_other_port(state, at, of):
            return f"the NAT of {of} uses another port for each destination (endpoint-dependent)"
    return ""


def _is_at_other_port(state: State, at: str, of: str) -> bool:
    announced, current = state.routers[of].announced, _seen_elsewhere(state, at, of)
    return announced is not None and current is not None and current.address == announced.address


def _seen_elsewhere(state: State, at: str, of: str) -> Endpoint | None:
    """Return the endpoint from which `at` receives from `of`, if it is not the announced one; inside a site it may be.

    None if there is no live session between them.
    """
    other, line = state.routers[of], _reported_line(state, at, of)
    if other.announced is None or line is None or line.current is None or not is_alive(line):
        return None
    return None if line.current in (other.announced, other.router.lan) else line.current


def _outdated_endpoint(state: State, link: Link, _now: Now) -> str:
    for at, of in ((link.first, link.second), (link.second, link.first)):
        line = _reported_line(state, at, of)
        if line and line.current and line.configured and line.current != line.configured and not is_alive(line):
            return f"{at} sends to {line.current}, where {of} no longer is: set again at the next attempt"
    return ""


def _reported_line(state: State, at: str, of: str) -> ReportPeer | None:
    """Return what router `at` reports about its peer `of`."""
    report, key = state.routers[at].report, state.routers[of].router.key
    return next((peer for peer in report.peers if peer.key == key), None) if report else None


def _hopeless(state: State, link: Link, _now: Now) -> str:
    known = state.links.get(link)
    if known is None or known.attempts < HOPELESS_ATTEMPTS:
        return ""
    for name in (link.first, link.second):
        if any(_is_at_other_port(state, each.other(name), name) for each in state.directory.links_of[name]):
            return (
                f"the NAT of {name} is endpoint-dependent: forward the WireGuard port there, or keep "
                "relaying through the hub"
            )
    return (
        "the NATs do not allow a direct path: forward the WireGuard port at one end, or keep relaying through the hub"
    )


LINK_RULES: tuple[LinkRule, ...] = (
    _end_in_trouble,
    _no_common_family,
    _disabled,
    _same_address,
    _other_address,
    _other_port,
    _outdated_endpoint,
    _contradiction,
    _hopeless,
)
