"""Packets that WireGuard rejected: from which addresses they came, as far as that can be known.

Only the holder of the private key can read who sent a handshake. So all that can be said is: this router is silent, and
packets from its last address arrive and change nothing. WireGuard rejects a handshake that is older than the last one
(WireGuard paper, section 5.1), which is what a router sends whose clock went back.
"""

from wgmqtt.engine.events import Now, PacketsRejected
from wgmqtt.engine.state import State
from wgmqtt.engine.step import Step

RECENT_S = 90.0
MAX_ADDRESSES = 256


def packets_rejected(state: State, step: Step, event: PacketsRejected) -> None:
    """Remember the addresses for a while; of a flood only the first ones."""
    mono_s = step.now.mono_s
    recent = {address: at_s for address, at_s in state.rejected_s.items() if at_s > mono_s - RECENT_S}
    for source in event.sources:
        if source.address in recent or len(recent) < MAX_ADDRESSES:
            recent[source.address] = mono_s
    state.rejected_s = recent


def are_rejected(state: State, address: str, now: Now) -> bool:
    """Return whether packets from this address were rejected lately."""
    return state.rejected_s.get(address, -RECENT_S) > now.mono_s - RECENT_S
