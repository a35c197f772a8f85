"""Packets that WireGuard did not take: from whose address they came, as far as that can be said. Pure.

A handshake says only to the holder of the private key who it is from. So all that can be said is: this router is
silent, and packets from its last address come and change nothing. WireGuard refuses a handshake that is older than the
last one (WireGuard paper, section 5.1), as a router sends it whose clock went back.
"""

from dataclasses import replace

from wgmqtt.engine.effects import Effect
from wgmqtt.engine.events import Now, PacketsRefused
from wgmqtt.engine.state import State

RECENT_S = 90.0
MAX_ADDRESSES = 256


def packets_refused(state: State, event: PacketsRefused, now: Now) -> tuple[State, list[Effect]]:
    """Remember the addresses for a while; of a flood only the first ones."""
    recent = {address: at_s for address, at_s in state.refused_s.items() if at_s > now.mono_s - RECENT_S}
    for source in event.sources:
        if source.address in recent or len(recent) < MAX_ADDRESSES:
            recent[source.address] = now.mono_s
    return replace(state, refused_s=recent), []


def are_refused(state: State, address: str, now: Now) -> bool:
    """Return whether packets from this address were not taken lately."""
    return state.refused_s.get(address, -RECENT_S) > now.mono_s - RECENT_S
