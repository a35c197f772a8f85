"""What the page and the metrics show: the hub's status, how it was received, and the last moves. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from wgmqtt.web.moves import Move, Moves, Observation
from wgmqtt.wire.hub import HubStatus, LinkLine, RouterLine, decode_event, decode_online, decode_status
from wgmqtt.wire.topics import Topics

ALIVE_S = 180.0  # a WireGuard session ends this long after its handshake

RouterState = Literal["ok", "trouble", "silent", "never"]
ROUTER_STATES: tuple[RouterState, ...] = ("ok", "trouble", "silent", "never")
PathState = Literal["direct", "trying", "hub", "down", "unknown"]
PATH_STATES: tuple[PathState, ...] = ("direct", "trying", "hub", "down", "unknown")


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The connection to the broker: up or down since `since_s` (Unix time), and why it is down."""

    is_connected: bool
    since_s: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What a message changed: the status (of the hub or of the connection), moves, and what was measured."""

    is_status: bool = False
    moves: tuple[Move, ...] = ()
    observations: tuple[Observation, ...] = ()


NOTHING = Change()


class Mesh:
    """Everything that is known of one hub, fed with the messages on its topics."""

    def __init__(self, topics: Topics, now_s: float, instance: str = "") -> None:
        self.topics = topics
        self.instance = instance
        self.broker = BrokerState(is_connected=False, since_s=now_s)
        self.is_online: bool | None = None
        self.status: HubStatus | None = None
        self.moves = Moves()
        self.revision = 0
        """Grows with each change of the status."""
        self._neighbours: dict[str, tuple[str, ...]] = {}

    def connected(self, now_s: float) -> Change:
        """Note that the broker accepted the connection and the subscriptions."""
        self.broker = BrokerState(is_connected=True, since_s=now_s)
        self.is_online = None  # the retained message follows, unless the broker has forgotten it
        return self._changed()

    def disconnected(self, reason: str, now_s: float) -> Change:
        """Note that there is no connection to the broker; repetitions of the same reason change nothing."""
        if not self.broker.is_connected and self.broker.reason == reason:
            return NOTHING
        since_s = now_s if self.broker.is_connected else self.broker.since_s
        self.broker = BrokerState(is_connected=False, since_s=since_s, reason=reason)
        return self._changed()

    def take(self, topic: str, payload: bytes) -> Change:
        """Take a message on one of the hub's topics; a malformed one changes nothing."""
        if topic == self.topics.hub_events:
            return self._take_event(payload)
        if topic == self.topics.hub_online:
            online = decode_online(payload, topic)
            is_online = online is not None and online.is_online
            if is_online == self.is_online:
                return NOTHING
            self.is_online = is_online
            return self._changed()
        if topic == self.topics.hub_status and (status := decode_status(payload, topic)) is not None:
            self.status = status
            self._neighbours = _neighbours(status.links)
            return self._changed()
        return NOTHING

    def _take_event(self, payload: bytes) -> Change:
        event = decode_event(payload, self.topics.hub_events)
        if event is None:
            return NOTHING
        moves, observations = self.moves.take(*event, self._neighbours)
        return Change(moves=tuple(moves), observations=tuple(observations))

    def _changed(self) -> Change:
        self.revision += 1
        return Change(is_status=True)


def router_state(router: RouterLine, at_s: float) -> RouterState:
    """Return how a router is; `at_s` is when the hub published it (Unix time)."""
    if router.handshake_s is None:
        return "never"
    if at_s - router.handshake_s > ALIVE_S:
        return "silent"
    return "trouble" if router.trouble else "ok"


def path_states(status: HubStatus) -> list[PathState]:
    """Return the path of each link: through the hub if it is not direct and both ends have a session with the hub."""
    alive = {line.name for line in status.routers if router_state(line, status.at_s) in ("ok", "trouble")}
    return [_path_state(line, both_alive={line.first, line.second} <= alive) for line in status.links]


def _path_state(link: LinkLine, *, both_alive: bool) -> PathState:
    if link.state in ("direct", "trying"):
        return "direct" if link.state == "direct" else "trying"
    if not both_alive:
        return "down" if link.state == "down" else "unknown"
    return "hub" if link.state == "down" else "unknown"


def _neighbours(links: tuple[LinkLine, ...]) -> dict[str, tuple[str, ...]]:
    found = defaultdict[str, list[str]](list)
    for line in links:
        found[line.first].append(line.second)
        found[line.second].append(line.first)
    return {name: tuple(others) for name, others in found.items()}
