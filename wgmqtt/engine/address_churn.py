"""A router whose peer alternates between two addresses: two lines in use at once, or two routers with one key."""

from wgmqtt.engine.state import RouterRecord
from wgmqtt.model import Endpoint

CHANGES = 6
WITHIN_S = 3600.0
_ALTERNATING = 2


def note(record: RouterRecord, endpoint: Endpoint, mono_s: float) -> None:
    """Remember a change of the address; call it while the record still has the endpoint before."""
    before = record.peer.endpoint if record.peer else None
    if before is not None and before.address != endpoint.address:
        record.addresses = (*record.addresses, (endpoint.address, mono_s))[-CHANGES:]


def alternating(record: RouterRecord, mono_s: float) -> tuple[str, ...]:
    """Return the two addresses between which a peer has changed again and again lately; empty if it has not."""
    recent = [address for address, at_s in record.addresses if at_s > mono_s - WITHIN_S]
    addresses = tuple(sorted(set(recent)))
    return addresses if len(recent) == CHANGES and len(addresses) == _ALTERNATING else ()
