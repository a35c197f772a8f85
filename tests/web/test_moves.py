"""Moves and their stages, from the lines that the hub publishes."""

import pytest

from wgmqtt import phrases
from wgmqtt.logline import Phrase, say
from wgmqtt.web.moves import KEPT, OPEN_S, Move, Moves, Observation

AT_S = 1_700_000_000.0
NEIGHBOURS = {"a": ("b", "c"), "b": ("a",), "c": ("a",)}


class Log:
    """Lines of a hub's log, and what they made of it."""

    def __init__(self) -> None:
        self.moves = Moves()
        self.observations: list[Observation] = []

    def line(self, after_ms: float, phrase: Phrase, **fields: object) -> list[Move]:
        """Take a line so many ms after the beginning; return the moves that it changed."""
        changed, observations = self.moves.take(AT_S + after_ms / 1000, say(phrase, **fields), NEIGHBOURS)
        self.observations += observations
        return changed

    def move(self, router: str = "a", after_ms: float = 0, was: str = "203.0.113.1:1") -> Move:
        """Let a router move."""
        (move,) = self.line(after_ms, phrases.ENDPOINT_CHANGED, router=router, endpoint="203.0.113.2:2", was=was)
        return move

    def publish(self, after_ms: float, router: str, seq: int) -> list[Move]:
        """Let a table be published."""
        return self.line(after_ms, phrases.TABLE_PUBLISHED, router=router, seq=seq, bytes=300)

    def apply(self, after_ms: float, router: str, seq: int, error: str = "none") -> list[Move]:
        """Let a router report that it applied its table."""
        return self.line(after_ms, phrases.TABLE_APPLIED, router=router, seq=seq, ms=5, did="set", error=error)

    def prove(self, after_ms: float, router: str, peer: str) -> list[Move]:
        """Let a direct path be proven."""
        return self.line(after_ms, phrases.DIRECT, router=router, peer=peer, ms=5, tries=1)


def test_stages_of_a_move_are_counted_for_each_link_from_the_detection() -> None:
    log = Log()
    move = log.move()
    assert (move.router, move.was, move.endpoint, move.links) == ("a", "203.0.113.1:1", "203.0.113.2:2", 2)
    log.publish(1, "a", 7)  # its own table, which is no far end
    assert log.publish(1, "b", 8) == [move]
    log.publish(2, "c", 9)
    log.apply(20, "b", 8)
    log.apply(25, "c", 9)
    log.prove(60, "b", "a")
    log.prove(61, "a", "b")
    log.prove(80, "a", "c")
    assert [move.reached(stage) for stage in ("published", "applied", "proven")] == [[1, 2], [20, 25], [60, 80]]
    assert [each.seconds for each in log.observations] == pytest.approx([0.001, 0.002, 0.02, 0.025, 0.06, 0.08])


def test_report_on_an_older_table_or_with_an_error_is_not_applied() -> None:
    log = Log()
    move = log.move()
    log.publish(1, "b", 8)
    assert log.apply(2, "b", 7) == []
    assert log.apply(3, "b", 8, error="no peer") == []
    assert log.apply(4, "b", 8) == [move]
    assert move.reached("applied") == [4]


def test_final_report_counts_as_applied_unless_there_was_one_before() -> None:
    log = Log()
    move = log.move()
    for router, seq in (("b", 8), ("c", 9)):
        log.publish(1, router, seq)
    log.apply(20, "b", 8)
    for router, seq in (("b", 8), ("c", 9)):
        log.line(50, phrases.TABLE_FINAL, router=router, seq=seq, ms=5, did="set", error="none")
    assert move.reached("applied") == [20, 50]


def test_lines_about_routers_that_did_not_move_change_nothing() -> None:
    log = Log()
    assert log.publish(1, "b", 8) == []
    log.move("b")
    assert log.apply(2, "c", 8) == []
    assert log.prove(3, "a", "c") == []


def test_next_move_of_a_router_ends_the_one_before() -> None:
    log = Log()
    first = log.move()
    second = log.move(after_ms=1000)
    log.publish(1001, "b", 9)
    assert (first.reached("published"), second.reached("published")) == ([], [1])


def test_stage_that_comes_after_minutes_belongs_to_another_attempt() -> None:
    log = Log()
    move = log.move()
    log.publish(1, "b", 8)
    assert log.prove((OPEN_S + 1) * 1000, "a", "b") == []
    assert move.reached("proven") == []


def test_first_sighting_and_delayed_move_are_shown_but_not_measured() -> None:
    log = Log()
    assert log.move(was="unknown").kind == "first-seen"
    log.publish(1, "b", 8)
    (delayed,) = log.line(2, phrases.ENDPOINT_DAMPED, router="b", endpoint="203.0.113.2:3", was="203.0.113.2:2")
    log.publish(3, "a", 9)
    assert delayed.kind == "delayed"
    assert delayed.reached("published") == [1]
    assert log.observations == []
    assert log.moves.detected == {"moved": 0, "delayed": 1, "first-seen": 1}


def test_many_moves_in_one_line_are_counted() -> None:
    log = Log()
    log.line(0, phrases.ENDPOINTS_CHANGED, count=150)
    assert log.moves.detected["moved"] == 150


def test_memory_is_bounded_and_the_newest_moves_are_kept() -> None:
    log = Log()
    for number in range(3000):
        log.move(f"r{number}", number)
    assert [move.router for move in log.moves.recent] == [f"r{number}" for number in range(3000 - KEPT, 3000)]
    assert log.moves.detected["moved"] == 3000


@pytest.mark.parametrize("seq", ["", "x", "-1", "٣", "9" * 400])
def test_malformed_seq_is_harmless(seq: str) -> None:
    log = Log()
    log.move()
    log.line(1, phrases.TABLE_PUBLISHED, router="b", seq=seq, bytes="?")
    log.line(2, phrases.TABLE_APPLIED, router="b", seq=seq, ms="?", did="", error="none")
    log.line(3, phrases.ENDPOINTS_CHANGED, count=seq)
