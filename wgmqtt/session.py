"""When to connect to the broker, what to ask it first, when to give up on it. Pure."""

import json
import math
from dataclasses import replace

from wgmqtt.effects import CloseBroker, Effect, Level, OpenBroker, PublishStatus, ReadRetained, say
from wgmqtt.errors import WgmqttError
from wgmqtt.events import BrokerDown, BrokerUp, Now, ReadBack
from wgmqtt.outbox import ACK_TIMEOUT_S, oldest_sent_s, settle
from wgmqtt.state import Outbox, Session, State
from wgmqtt.wire import decode_table

ANSWER_TIMEOUT_S = 15.0
FIRST_RETRY_S = 0.25
LAST_RETRY_S = 8.0


def retry_delay_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row: at once at first, then doubling."""
    return min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures, 10))


def woken(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Open a connection that is due, or give up on one that does not answer."""
    session = state.session
    if session.phase == "closed":
        if now.mono_s < session.deadline_s:
            return state, []
        generation = session.generation + 1
        opening = Session("opening", generation, now.mono_s + ANSWER_TIMEOUT_S, session.failures)
        return replace(state, session=opening), [OpenBroker(generation)]
    oldest = oldest_sent_s(state)
    if session.phase == "ready" and (oldest is None or now.mono_s < oldest + ACK_TIMEOUT_S):
        return state, []
    if session.phase != "ready" and now.mono_s < session.deadline_s:
        return state, []
    state, effects = down(state, BrokerDown(session.generation, f"no answer while {session.phase}"), now)
    return state, [CloseBroker(session.generation), *effects]


def up(state: State, event: BrokerUp, now: Now) -> tuple[State, list[Effect]]:
    """Say that the hub is there, and read back what the broker retains before anything is published over it."""
    topics = state.roster.topics
    names = [router.name for router in state.roster.config.routers]
    reading = replace(state.session, phase="reading", deadline_s=now.mono_s + ANSWER_TIMEOUT_S)
    ask = ReadRetained(
        event.generation,
        topics=tuple(topics.endpoints(name) for name in names),
        reports=tuple((topics.report(name), name) for name in names),
        fence=topics.hub_fence,
    )
    online = json.dumps({"v": 1, "online": True}).encode()
    return replace(state, session=reading), [PublishStatus(event.generation, topics.hub_online, online), ask]


def down(state: State, event: BrokerDown, now: Now) -> tuple[State, list[Effect]]:
    """Plan the next connection. What was in flight is in doubt: the next read-back tells."""
    failures = state.session.failures
    delay_s = retry_delay_s(failures)
    closed = Session("closed", state.session.generation, now.mono_s + delay_s, failures + 1)
    # Once per transition into trouble: what follows is the same trouble, tried again.
    level: Level = "warning" if failures == 0 else "debug"
    said = say(level, "broker lost", reason=event.reason, retry_s=f"{delay_s:.2f}")
    return replace(state, session=closed, sent_s={}), [said]


def read_back(state: State, event: ReadBack, now: Now) -> tuple[State, list[Effect]]:
    """Compare what is retained with what should be, and publish only the differences."""
    effects: list[Effect] = []
    outboxes: dict[str, Outbox] = {}
    last_seq = state.last_seq
    for name in state.roster.by_name:
        topic = state.roster.topics.endpoints(name)
        payload = event.retained.get(topic, b"")
        try:
            table = decode_table(payload, topic) if payload else None
        except WgmqttError as error:
            effects.append(say("warning", "retained table unreadable, it will be replaced", router=name, why=error))
            table = None
        outboxes[name] = Outbox(table)
        last_seq = max(last_seq, table.seq if table else 0)
    ready = Session("ready", state.session.generation, math.inf)
    found = sum(1 for box in outboxes.values() if box.retained)
    effects.append(say("info", "broker ready", retained=found, routers=len(outboxes)))
    state = replace(state, session=ready, outboxes=outboxes, last_seq=last_seq, sent_s={})
    state, published = settle(state, state.roster.by_name, now)
    return state, effects + published
