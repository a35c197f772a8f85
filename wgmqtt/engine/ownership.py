"""Whether this daemon may speak for the hub: two of one hub name never fight. Pure.

Who comes second finds the first one's word on the hub's online topic, asks, and leaves if it is answered. A word that
nobody stands behind (a broker that kept it over a crash) is not answered, and is taken over.
"""

from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine import status
from wgmqtt.engine.effects import CloseBroker, Effect, PublishStatus
from wgmqtt.engine.events import HubHeard, Now, ReadBack
from wgmqtt.engine.state import Session, State
from wgmqtt.engine.takeover import RIVAL, offline, online, take
from wgmqtt.logline import say
from wgmqtt.wire.hub import Online, decode_online

ASK_S = 3.0
AGAIN_S = 30.0


def read_back(state: State, event: ReadBack, now: Now) -> tuple[State, list[Effect]]:
    """Take over if the hub is free; ask if another daemon says that it is there."""
    topics = state.roster.topics
    said = decode_online(event.retained.get(topics.hub_online, b""), topics.hub_online)
    is_free = said is None or not said.is_online or said.instance in (state.instance, state.session.asked)
    if said is None or is_free or state.is_dry:
        return take(replace(state, held=event.retained), now)
    asking = replace(state.session, phase="asking", deadline_s=now.mono_s + ASK_S, asked=said.instance)
    ask = PublishStatus(event.generation, topics.hub_who, state.instance.encode(), is_retained=False)
    return replace(state, session=asking), [ask]


def heard(state: State, event: HubHeard, now: Now) -> tuple[State, list[Effect]]:
    """Answer who asks, leave if the hub is served, and stand by one's own word."""
    if state.is_dry:
        return state, []
    if event.topic == state.roster.topics.hub_who:
        return state, _answer(state, event.payload.decode("ascii", "replace")[:64])
    said = decode_online(event.payload, event.topic)
    if said is None or _must_stay(state, said):
        return state, []
    if _must_leave(state, said):
        return _leave(state, said, now)
    # Somebody's word stands over ours, and perhaps over our view and tables: look again when it has left.
    state, shown = status.publish(state, now)
    session = replace(state.session, again_s=now.mono_s + ASK_S)
    return replace(state, session=session), [online(state), *shown]


def _answer(state: State, asker: str) -> list[Effect]:
    return [online(state, answers=asker)] if state.session.phase == "ready" and asker != state.instance else []


def _must_leave(state: State, said: Online) -> bool:
    if state.session.phase == "asking":
        # Whoever speaks now is alive, be it to us or not: what the broker had kept was read before.
        return said.is_online and said.instance != state.instance
    # Both began at the same moment: one of them has to go.
    return said.is_online and not said.answers and said.instance < state.instance


def _must_stay(state: State, said: Online) -> bool:
    """Return whether there is nothing to do: our own word, an answer to another, or nothing that ends the waiting."""
    if state.session.phase == "asking":
        return not _must_leave(state, said)
    is_ours = said.instance == state.instance and said.is_online
    return state.session.phase != "ready" or is_ours


def _leave(state: State, other: Online, now: Now) -> tuple[State, list[Effect]]:
    closed = Session("closed", state.session.generation, now.mono_s + AGAIN_S, state.session.failures)
    effects: list[Effect] = [CloseBroker(state.session.generation)]
    if state.session.phase == "ready":
        effects.insert(0, offline(state))  # whoever stays learns by it that there were two
    if RIVAL not in state.troubles:
        hub = state.roster.config.hub.name
        effects.append(say(phrases.STANDING_BY, hub=hub, instance=other.instance))
    return replace(state, session=closed, sent_s={}, held={}, troubles=state.troubles | {RIVAL}), effects
