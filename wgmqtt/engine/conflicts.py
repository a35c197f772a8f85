"""Something else on a router rewrites endpoints (a script, Ansible): noticed, named, and not fought. Pure.

The sign: a router sets a peer anew to what it had set it to before, although no table had said anything else meanwhile.
After the third time within an hour the peer is left out of that router's table for an hour; then it is told again.
"""

from collections.abc import Mapping
from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine.effects import Effect
from wgmqtt.engine.events import Now
from wgmqtt.engine.state import Kept, State
from wgmqtt.logline import say
from wgmqtt.model import PublicKey
from wgmqtt.wire.report import Report
from wgmqtt.wire.table import Table

TIMES = 3
WITHIN_S = 3600.0
REST_S = 3600.0


def told(state: State, name: str, before: Table | None, table: Table) -> State:
    """Forget where a router had set those peers that its new table puts elsewhere."""
    known = state.kept.get(name)
    if not known:
        return state
    said = {peer.key: peer.endpoint for peer in before.peers} if before else {}
    moved = {peer.key for peer in table.peers if peer.endpoint != said.get(peer.key)}
    left = {key: replace(kept, configured=None) if key in moved else kept for key, kept in known.items()}
    return replace(state, kept={**state.kept, name: left})


def heard(state: State, name: str, report: Report, now: Now, *, is_first: bool) -> tuple[State, list[Effect]]:
    """Take from a report on the newest table what was set anew. `is_first`: of the reports on this table."""
    effects: list[Effect] = []
    known = dict(state.kept.get(name, {}))
    for peer in report.peers:
        other = state.roster.by_key.get(peer.key)
        if other is None or peer.configured is None:
            continue
        kept = known.get(peer.key, Kept())
        if is_first and peer.did == "set" and peer.configured == kept.configured:
            kept = replace(kept, rewritten_s=(*kept.rewritten_s, now.mono_s)[-TIMES:])
            if _is_fought(kept, now.mono_s):
                effects.append(say(phrases.SUSPENDED, router=name, peer=other.name, for_s=int(REST_S)))
        known[peer.key] = replace(kept, configured=peer.configured)
    return replace(state, kept={**state.kept, name: known}), effects


def left_alone(state: State, name: str, mono_s: float) -> tuple[str, ...]:
    """Return the names of the peers that router `name` is not told of because something else rewrites them."""
    return tuple(
        state.roster.by_key[key].name
        for key, kept in state.kept.get(name, {}).items()
        if key in state.roster.by_key and _is_fought(kept, mono_s)
    )


def is_left_alone(kept: Mapping[PublicKey, Kept], key: PublicKey, mono_s: float) -> bool:
    """Return whether one peer is left out of the table of the router that `kept` is about."""
    return key in kept and _is_fought(kept[key], mono_s)


def _is_fought(kept: Kept, mono_s: float) -> bool:
    times = kept.rewritten_s
    return len(times) == TIMES and times[-1] - times[0] < WITHIN_S and mono_s < times[-1] + REST_S
