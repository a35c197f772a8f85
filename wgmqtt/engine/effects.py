"""What is to be done: data only. Pure."""

from dataclasses import dataclass, replace

from wgmqtt.logline import Phrase, Say, say


@dataclass(frozen=True, slots=True)
class OpenBroker:
    """Start a connection of this generation; answered by BrokerUp or BrokerDown."""

    generation: int


@dataclass(frozen=True, slots=True)
class CloseBroker:
    """End this connection without a word more; nothing of its generation counts afterwards."""

    generation: int


@dataclass(frozen=True, slots=True)
class ReadRetained:
    """Collect what is retained on `topics`, then listen on `reports` (topic, router) and on the topics of `hub`.

    Answered by ReadBack, then by Reported and HubHeard.
    """

    generation: int
    topics: tuple[str, ...]
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
    """Publish something of the hub's own at QoS 1, unanswered; an empty payload empties a retained topic."""

    generation: int
    topic: str
    payload: bytes
    is_retained: bool = True


@dataclass(frozen=True, slots=True)
class BreakSession:
    """End a router's own connection to the broker, so that it connects anew and gets its table."""

    generation: int
    router: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send Woken at this monotonic time, in place of any earlier request."""

    mono_s: float


Effect = OpenBroker | CloseBroker | ReadRetained | PublishTable | PublishStatus | BreakSession | Say | WakeAt


MANY = 100


def abridge(effects: list[Effect], phrase: Phrase) -> list[Effect]:
    """Return the effects with one line in place of many: the lines themselves become debug where there are over `MANY`.

    Each line at info is written and published: at the start of a hub of ten thousand that is a minute's work.
    """
    lines = sum(isinstance(effect, Say) and effect.level == "info" for effect in effects)
    if lines <= MANY:
        return effects
    quiet = [
        replace(each, level="debug") if isinstance(each, Say) and each.level == "info" else each for each in effects
    ]
    return [*quiet, say(phrase, count=lines)]
