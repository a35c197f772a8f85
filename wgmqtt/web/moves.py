"""The last moves and how long each stage took, put together from the lines of the hub's log. Pure.

A move begins when the hub detects a router's new endpoint. Its stages are measured from there, by the hub's clock:
the tables were published, the other end applied its table, the direct path was proven.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wgmqtt import phrases
from wgmqtt.logline import Say

Stage = Literal["published", "applied", "proven"]
Kind = Literal["moved", "delayed", "first-seen"]
STAGES: tuple[Stage, ...] = ("published", "applied", "proven")
KINDS: tuple[Kind, ...] = ("moved", "delayed", "first-seen")

KEPT = 50
OPEN_S = 300.0
"""A stage that comes later belongs to another attempt; the hub's fourth retry is 265 s after the move."""
MAX_OPEN = 1000
FIRST_SEEN = "unknown"
"""What the hub gives as the previous endpoint of a router that it has not seen since it started."""
NO_ERROR = "none"
"""What the hub gives as the error of a router that applied its whole table."""

Neighbours = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Observation:
    """One end of a moved router's link reached a stage, so many seconds after the move was detected.

    Delayed moves and first sightings are not measured: the one waits on purpose, the other has no session yet.
    """

    stage: Stage
    seconds: float


@dataclass(slots=True)
class End:
    """The far end of one link of a router that moved: when it reached each stage, in ms after the detection."""

    seq: int
    reached_ms: dict[Stage, float] = field(default_factory=dict)


@dataclass(slots=True)
class Move:
    """One change of a router's endpoint: at once, delayed by flap damping, or the first one since the hub started."""

    number: int
    kind: Kind
    router: str
    endpoint: str
    was: str
    at_s: float
    links: int
    ends: dict[str, End] = field(default_factory=dict)

    def reached(self, stage: Stage) -> list[float]:
        """Return when each end reached a stage, in ms after the detection, the first one first."""
        return sorted(end.reached_ms[stage] for end in self.ends.values() if stage in end.reached_ms)


class Moves:
    """The last moves, the newest last; fed with the hub's log lines."""

    def __init__(self) -> None:
        self.recent: deque[Move] = deque(maxlen=KEPT)
        self.detected: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self.changes = 0
        """Grows with each change of a move."""
        self._open: dict[str, Move] = {}
        self._number = 0

    def take(self, at_s: float, line: Say, neighbours: Neighbours) -> tuple[list[Move], list[Observation]]:
        """Take one line of the hub's log; return the moves it changes and what was measured by it."""
        fields = {key: str(value) for key, value in line.fields}
        match line.phrase:
            case phrases.ENDPOINT_CHANGED.text | phrases.ENDPOINT_DAMPED.text:
                is_first = fields.get("was") == FIRST_SEEN
                is_damped = line.phrase == phrases.ENDPOINT_DAMPED.text
                kind: Kind = "delayed" if is_damped else "first-seen" if is_first else "moved"
                return [self._begin(at_s, kind, fields, neighbours)], []
            case phrases.ENDPOINTS_CHANGED.text:
                self.detected["moved"] += _number(fields.get("count", ""))
                return [], []
            case phrases.TABLE_PUBLISHED.text:
                stage: Stage = "published"
            case phrases.TABLE_APPLIED.text | phrases.TABLE_FINAL.text if fields.get("error") == NO_ERROR:
                # The first report on the table counts: a router that sends nothing reports once, and of two reports
                # that arrive together the daemon reads only the final one.
                stage = "applied"
            case phrases.DIRECT.text:
                stage = "proven"
            case _:
                return [], []
        self._expire(at_s)
        moves, observations = list[Move](), list[Observation]()
        for move, other in self._concerned(stage, fields, neighbours):
            if _reach(move, other, stage, at_s, _number(fields.get("seq", ""))):
                self.changes += 1
                moves.append(move)
                if move.kind == "moved":
                    observations.append(Observation(stage, move.ends[other].reached_ms[stage] / 1000))
        return moves, observations

    def _begin(self, at_s: float, kind: Kind, fields: Mapping[str, str], neighbours: Neighbours) -> Move:
        self.detected[kind] += 1
        self.changes += 1
        self._number += 1
        name = fields.get("router", "")
        links = len(neighbours.get(name, ()))
        endpoint, was = fields.get("endpoint", ""), fields.get("was", "")
        move = Move(self._number, kind, name, endpoint, was, at_s, links)
        self._expire(at_s)
        self._open.pop(name, None)
        if len(self._open) >= MAX_OPEN:
            self._open.pop(next(iter(self._open)))
        self._open[name] = move
        self.recent.append(move)
        return move

    def _concerned(self, stage: Stage, fields: Mapping[str, str], neighbours: Neighbours) -> Iterator[tuple[Move, str]]:
        """Yield each open move that a line is about, with the far end of the link in question."""
        name = fields.get("router", "")
        if stage == "proven":
            pairs = [(name, fields.get("peer", "")), (fields.get("peer", ""), name)]
        else:
            pairs = [(other, name) for other in neighbours.get(name, ())]
        for mover, other in pairs:
            if mover in self._open:
                yield self._open[mover], other

    def _expire(self, at_s: float) -> None:
        while self._open:
            oldest = next(iter(self._open.values()))
            if at_s - oldest.at_s <= OPEN_S:
                return
            del self._open[oldest.router]


def _reach(move: Move, other: str, stage: Stage, at_s: float, seq: int) -> bool:
    """Note that the far end `other` reached a stage, unless it had before or the line is about an older table."""
    if stage == "published":
        end = move.ends.setdefault(other, End(seq))
    elif other not in move.ends or (stage == "applied" and seq < move.ends[other].seq):
        return False
    else:
        end = move.ends[other]
    if stage in end.reached_ms:
        return False
    end.reached_ms[stage] = round(max(0.0, at_s - move.at_s) * 1000, 1)
    return True


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0  # noqa: PLR2004 - as the contract
