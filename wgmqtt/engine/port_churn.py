"""A port that keeps changing at one address: such a NAT gives every destination another port.

Source: RFC 4787, section 4.1: an endpoint-independent mapping keeps its port while it is used, and a keepalive uses it.
"""

from wgmqtt.engine.state import Ports, RouterRecord
from wgmqtt.model import Endpoint

MANY_PORTS = 3
WITHIN_S = 300.0


def note(record: RouterRecord, endpoint: Endpoint, mono_s: float) -> None:
    """Remember the port of a new endpoint; call it while the record still has the endpoint before.

    A peer that never moved has no such memory: for ten thousand peers it would take 2 MB.
    """
    known = record.ports or _first(record)
    if known is not None:
        record.ports = _with(known, endpoint, mono_s)


def is_churning(record: RouterRecord, mono_s: float) -> bool:
    """Return whether a peer was recently seen at many ports of one address."""
    ports = record.ports
    return ports is not None and sum(at_s > mono_s - WITHIN_S for _, at_s in ports.seen) >= MANY_PORTS


def _first(record: RouterRecord) -> Ports | None:
    endpoint = record.peer.endpoint if record.peer else None
    return Ports(endpoint.address, ((endpoint.port, record.since_s),)) if endpoint else None


def _with(before: Ports, endpoint: Endpoint, mono_s: float) -> Ports:
    seen = before.seen if before.address == endpoint.address else ()
    recent = (each for each in seen if each[1] > mono_s - WITHIN_S and each[0] != endpoint.port)
    return Ports(endpoint.address, (*recent, (endpoint.port, mono_s)))
