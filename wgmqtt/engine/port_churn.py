"""A port that keeps changing at one address: such a NAT shows others another port, too. Pure.

Source: RFC 4787, section 4.1: an endpoint-independent mapping keeps its port while it is used, and a keepalive uses it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wgmqtt.engine.state import Ports, Seen, State
from wgmqtt.model import Endpoint, PublicKey, Sighting

MANY_PORTS = 3
WITHIN_S = 300.0


def noticed(state: State, before: Mapping[PublicKey, Seen], moved: Iterable[Sighting], mono_s: float) -> State:
    """Remember the ports at which peers were seen; `before` is what was seen of them until now.

    A peer that never moved is not remembered: of ten thousand that would take 2 MB.
    """
    ports = dict(state.ports)
    for sighting in moved:
        known = ports.get(sighting.key) or _first(before.get(sighting.key))
        if sighting.endpoint and known:
            ports[sighting.key] = _with(known, sighting.endpoint, mono_s)
    return replace(state, ports=ports)


def _first(seen: Seen | None) -> Ports | None:
    endpoint = seen.sighting.endpoint if seen else None
    return Ports(endpoint.address, ((endpoint.port, seen.since_s),)) if seen and endpoint else None


def _with(before: Ports, endpoint: Endpoint, mono_s: float) -> Ports:
    seen = before.seen if before.address == endpoint.address else ()
    recent = (each for each in seen if each[1] > mono_s - WITHIN_S and each[0] != endpoint.port)
    return Ports(endpoint.address, (*recent, (endpoint.port, mono_s)))


def is_restless(state: State, key: PublicKey, mono_s: float) -> bool:
    """Return whether a peer was seen at many ports of one address not long ago."""
    ports = state.ports.get(key)
    return ports is not None and sum(at_s > mono_s - WITHIN_S for _, at_s in ports.seen) >= MANY_PORTS
