"""What the engine wants done: its outputs."""

from dataclasses import dataclass, replace

from wgmqtt.logline import Phrase, Say, say

MANY = 100


@dataclass(frozen=True, slots=True)
class OpenBroker:
    """Open a connection of this generation; answered by BrokerUp or BrokerDown."""

    generation: int


@dataclass(frozen=True, slots=True)
class CloseBroker:
    """Close this connection; later events of its generation are ignored."""

    generation: int


@dataclass(frozen=True, slots=True)
class ReadRetained:
    """Collect what is retained on `topics`, `tables` and `hub`, then listen on `tables`, `reports` and `hub`.

    `tables` and `reports` are pairs of topic and router. Answered by ReadBack, then by TableOverwritten, Reported and
    HubMessage.
    """

    generation: int
    topics: tuple[str, ...]
    tables: tuple[tuple[str, str], ...]
    hub: tuple[str, ...]
    reports: tuple[tuple[str, str], ...]
    fence: str


@dataclass(frozen=True, slots=True)
class PublishTable:
    """Publish a router's table, retained, at QoS 1; answered by Acked."""

    generation: int
    router: str
    topic: str
    payload: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class PublishStatus:
    """Publish a message about the hub at QoS 1, without an answer; an empty payload clears a retained topic."""

    generation: int
    topic: str
    payload: bytes
    is_retained: bool = True


@dataclass(frozen=True, slots=True)
class ResetConnection:
    """Reset a router's own connection to the broker, so that it reconnects and gets its table."""

    generation: int
    router: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send Woken at this monotonic time, in place of any earlier request."""

    mono_s: float


Effect = OpenBroker | CloseBroker | ReadRetained | PublishTable | PublishStatus | ResetConnection | Say | WakeAt


def abridge(effects: list[Effect], phrase: Phrase) -> list[Effect]:
    """Lower more than `MANY` info lines to debug and append one line with their number.

    Every info line is written and published. At the start of a hub with 10,000 routers that would take a minute.
    """
    lines = sum(isinstance(effect, Say) and effect.level == "info" for effect in effects)
    if lines <= MANY:
        return effects
    quiet = [
        replace(each, level="debug") if isinstance(each, Say) and each.level == "info" else each for each in effects
    ]
    return [*quiet, say(phrase, count=lines)]
