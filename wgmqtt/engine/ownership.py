"""Writer election: which of two daemons with one hub name publishes. They never publish against each other.

The second daemon finds the first one's claim on the hub's online topic, asks whether it is alive, and stands by if it
gets an answer. A claim that no living daemon makes (a broker that kept it over a crash) is not answered, and is taken
over. This file only decides; `wgmqtt.engine.session` acts on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wgmqtt.engine.effects import PublishStatus
from wgmqtt.engine.events import HubMessage
from wgmqtt.engine.state import State
from wgmqtt.wire.hub import Online, decode_online, encode_online

Meaning = Literal["nothing", "question", "rival", "overwritten"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a message on the hub's own topics means to this daemon; `instance` is the daemon that sent it."""

    meaning: Meaning
    instance: str = ""


def rival_in(state: State, retained: Mapping[str, bytes]) -> str:
    """Return the instance of another daemon that claims this hub in what the broker retains; empty if there is none.

    A claim of this instance is from its connection before; one that was asked and did not answer is void.
    """
    topic = state.directory.topics.hub_online
    online = decode_online(retained.get(topic, b""), topic)
    if state.is_dry or online is None or not online.is_online:
        return ""
    return "" if online.instance in (state.instance, state.session.asked) else online.instance


def judge(state: State, message: HubMessage) -> Verdict:
    """Return what a message on the hub's own topics means."""
    if state.is_dry:
        return Verdict("nothing")
    if message.topic == state.directory.topics.hub_who:
        asker = message.payload.decode("ascii", "replace")[:64]
        return Verdict("nothing" if asker == state.instance else "question", asker)
    online = decode_online(message.payload, message.topic)
    if online is None:
        return Verdict("overwritten")  # malformed, or cleared
    return Verdict(_meaning(state, online), online.instance)


def _meaning(state: State, online: Online) -> Meaning:
    is_own = online.instance == state.instance
    if state.session.phase == "asking":
        # A daemon that publishes now is alive, whomever it answers: what the broker retained was read before.
        return "rival" if online.is_online and not is_own else "nothing"
    if is_own and online.is_online:
        return "nothing"
    # Both began at the same moment: the one with the smaller instance stays.
    return "rival" if online.is_online and not online.answers and online.instance < state.instance else "overwritten"


def online(state: State, answers: str = "") -> PublishStatus:
    """Return the message that this daemon is active; `answers` is the instance that asked."""
    payload = encode_online(Online(is_online=True, instance=state.instance, answers=answers))
    return PublishStatus(state.session.generation, state.directory.topics.hub_online, payload)


def offline(state: State) -> PublishStatus:
    """Return the message that this daemon is no longer active."""
    payload = encode_online(Online(is_online=False, instance=state.instance))
    return PublishStatus(state.session.generation, state.directory.topics.hub_online, payload)


def question(state: State) -> PublishStatus:
    """Return the message that asks any other daemon whether it is alive."""
    return PublishStatus(
        state.session.generation, state.directory.topics.hub_who, state.instance.encode(), is_retained=False
    )
