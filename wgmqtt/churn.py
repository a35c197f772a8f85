"""A port that keeps changing at one address: such a NAT shows others another port, too. Pure.

Source: RFC 4787, section 4.1: an endpoint-independent mapping keeps its port while it is used, and a keepalive uses it.
"""

from collections.abc import Iterable
from dataclasses import replace

from wgmqtt.model import Endpoint, PublicKey, Sighting
from wgmqtt.state import Ports, State

MANY_PORTS = 3
WITHIN_S = 300.0


def noticed(state: State, moved: Iterable[Sighting], mono_s: float) -> State:
    """Remember the ports at which peers were seen."""
    ports = dict(state.ports)
    for sighting in moved:
        if sighting.endpoint:
            ports[sighting.key] = _with(ports.get(sighting.key), sighting.endpoint, mono_s)
    return replace(state, ports=ports)


def _with(before: Ports | None, endpoint: Endpoint, mono_s: float) -> Ports:
    seen = before.seen if before and before.address == endpoint.address else ()
    recent = (each for each in seen if each[1] > mono_s - WITHIN_S and each[0] != endpoint.port)
    return Ports(endpoint.address, (*recent, (endpoint.port, mono_s)))


def is_restless(state: State, key: PublicKey, mono_s: float) -> bool:
    """Return whether a peer was seen at many ports of one address not long ago."""
    ports = state.ports.get(key)
    return ports is not None and sum(at_s > mono_s - WITHIN_S for _, at_s in ports.seen) >= MANY_PORTS
