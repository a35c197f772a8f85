"""When to connect to the broker, what to ask it first, when to give up on it. Pure."""

import math
from collections.abc import Mapping
from dataclasses import replace

from wgmqtt import phrases
from wgmqtt.engine.effects import CloseBroker, Effect, OpenBroker, ReadRetained
from wgmqtt.engine.events import BrokerDown, BrokerUp, Cause, Now
from wgmqtt.engine.outbox import ACK_TIMEOUT_S, oldest_sent_s
from wgmqtt.engine.state import Session, State
from wgmqtt.logline import Level, Phrase, say, say_at

ANSWER_TIMEOUT_S = 15.0
FIRST_RETRY_S = 0.25
LAST_RETRY_S = 8.0
TROUBLES: Mapping[Cause, str] = {"login": "broker login", "files": "broker files"}


def retry_delay_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row: at once at first, then doubling."""
    return min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures, 10))


def woken(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Open a connection that is due, go on with one that is well, or give up on one that does not answer."""
    session = state.session
    if session.phase == "ready":
        return _ready(state, now)
    if now.mono_s < session.deadline_s:
        return state, []
    if session.phase == "closed":
        generation = session.generation + 1
        opening = Session("opening", generation, now.mono_s + ANSWER_TIMEOUT_S, session.failures)
        return replace(state, session=opening), [OpenBroker(generation)]
    if session.phase == "asking":
        # Read anew: what was read before the question may be old by now.
        state, effects = up(state, BrokerUp(session.generation), now)
        return state, [say(phrases.TAKING_OVER), *effects]
    return _give_up(state, now)


def _ready(state: State, now: Now) -> tuple[State, list[Effect]]:
    session = state.session
    oldest = oldest_sent_s(state)
    if oldest is not None and now.mono_s >= oldest + ACK_TIMEOUT_S:
        return _give_up(state, now)
    if now.mono_s >= session.again_s:
        return renew(state, now)
    if now.mono_s >= session.deadline_s:
        proven = replace(session, deadline_s=math.inf, failures=0)
        state = replace(state, session=proven, troubles=state.troubles.difference(TROUBLES.values()))
    return state, []


def _give_up(state: State, now: Now) -> tuple[State, list[Effect]]:
    silent = BrokerDown(state.session.generation, f"no answer while {state.session.phase}")
    state, effects = down(state, silent, now)
    return state, [CloseBroker(silent.generation), *effects]


def up(state: State, event: BrokerUp, now: Now) -> tuple[State, list[Effect]]:
    """Read back what the broker retains, before anything is published over it."""
    topics = state.roster.topics
    names = [router.name for router in state.roster.config.routers]
    reading = replace(state.session, phase="reading", deadline_s=now.mono_s + ANSWER_TIMEOUT_S)
    ask = ReadRetained(
        event.generation,
        topics=(topics.hub_online, topics.hub_status, *(topics.endpoints(name) for name in names)),
        hub=(topics.hub_online, topics.hub_who),
        reports=tuple((topics.report(name), name) for name in names),
        fence=topics.hub_fence,
    )
    return replace(state, session=reading), [ask]


def down(state: State, event: BrokerDown, now: Now) -> tuple[State, list[Effect]]:
    """Plan the next connection. What was in flight is in doubt: the next read-back tells."""
    before = state.session
    delay_s = retry_delay_s(before.failures)
    closed = Session("closed", before.generation, now.mono_s + delay_s, before.failures + 1)
    troubles = state.troubles | {TROUBLES[event.cause]} if event.cause in TROUBLES else state.troubles
    # Once per transition into trouble: what follows is the same trouble, tried again.
    level: Level = "debug"
    if before.failures == 0 or troubles != state.troubles:
        level = "warning"
    elif before.phase == "ready":
        level = "info"
    said = say_at(level, _phrase(before, event.cause), reason=event.reason, retry_s=f"{delay_s:.2f}")
    return replace(state, session=closed, sent_s={}, troubles=troubles), [said]


def _phrase(before: Session, cause: Cause) -> Phrase:
    if cause == "login":
        return phrases.LOGIN_REJECTED
    if cause == "files":
        return phrases.CREDENTIALS_UNREADABLE
    return phrases.BROKER_UNREACHABLE if before.phase == "opening" else phrases.BROKER_LOST


def renew(state: State, now: Now) -> tuple[State, list[Effect]]:
    """Begin a new session at once, as after a new configuration: everything is read back and compared again."""
    effects: list[Effect] = [] if state.session.phase == "closed" else [CloseBroker(state.session.generation)]
    fresh = Session("closed", state.session.generation, now.mono_s, state.session.failures)
    return replace(state, session=fresh, sent_s={}), effects
