"""What the broker retains, compared with what should be: only the differences go out. Pure."""

import math
from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine import status
from wgmqtt.engine.effects import Effect, PublishStatus
from wgmqtt.engine.events import Now
from wgmqtt.engine.outbox import settle
from wgmqtt.engine.state import Outbox, Session, State
from wgmqtt.errors import WgmqttError
from wgmqtt.logline import say
from wgmqtt.wire.hub import Online, decode_status, encode_online
from wgmqtt.wire.table import decode_table

STABLE_S = 10.0  # a broker that ends each connection sooner (for a publish that it forbids) counts as failing
RIVAL = "another daemon"


def take(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Begin to speak for the hub: say so, empty the topics of routers that are gone, publish what differs."""
    effects: list[Effect] = []
    outboxes: dict[str, Outbox] = {}
    last_seq = state.last_seq
    for name in state.roster.by_name:
        topic = state.roster.topics.endpoints(name)
        payload = state.held.get(topic, b"")
        try:
            table = decode_table(payload, topic) if payload else None
        except WgmqttError as error:
            effects.append(say(phrases.RETAINED_MALFORMED, router=name, reason=error))
            table = None
        outboxes[name] = Outbox(table)
        last_seq = max(last_seq, table.seq if table else 0)
    found = sum(1 for box in outboxes.values() if box.retained)
    effects.append(say(phrases.BROKER_READY, retained=found, routers=len(outboxes)))
    failures = state.session.failures
    proven_s = now.mono_s + STABLE_S if failures else math.inf
    state = replace(
        state,
        session=Session("ready", state.session.generation, proven_s, failures),
        outboxes=outboxes,
        last_seq=last_seq,
        sent_s={},
        queued=(),
        troubles=state.troubles - {RIVAL},
    )
    effects.append(online(state))
    state = replace(state, gone=_gone(state), held={})
    effects += _empty_gone(state)
    state = state if state.is_frozen else replace(state, gone=())
    state, shown = status.publish(state, now)
    state, published = settle(state, state.roster.by_name, now)
    return state, [*effects, *shown, *published]


def online(state: State, answers: str = "") -> PublishStatus:
    """Return the word that this daemon is there."""
    payload = encode_online(Online(is_online=True, instance=state.instance, answers=answers))
    return PublishStatus(state.session.generation, state.roster.topics.hub_online, payload)


def offline(state: State) -> PublishStatus:
    """Return the word that this daemon leaves."""
    payload = encode_online(Online(is_online=False, instance=state.instance))
    return PublishStatus(state.session.generation, state.roster.topics.hub_online, payload)


def _gone(state: State) -> tuple[str, ...]:
    topic = state.roster.topics.hub_status
    before = decode_status(state.held.get(topic, b""), topic)
    return tuple(name for name in before.managed if name not in state.roster.by_name) if before else ()


def _empty_gone(state: State) -> list[Effect]:
    """Empty what is retained for routers that are not configured any more: to them it says, change nothing."""
    if state.is_frozen:
        return []
    topics, effects = state.roster.topics, list[Effect]()
    for name in state.gone:
        effects.append(say(phrases.ROUTER_CLEARED, router=name))
        for topic in (topics.endpoints(name), topics.report(name), topics.online(name)):
            effects.append(PublishStatus(state.session.generation, topic, b""))
    return effects
