"""The emitted handler, one rule of the design after the other, on a router in memory."""

from typing import Any

import pytest

from lab.fuzz.handler_rig import DEAD_S, Rig, entry, key_of, peer, ping_of, place_of, table, with_reality
from lab.routeros.models.router import Peer
from lab.routeros.switches import Switches

OLD, NEW, ELSEWHERE = place_of(1), place_of(1, 2000), ("203.0.113.9", 4000)


def stages(outcome_reports: object) -> list[str]:
    return [report.stage for report in outcome_reports]  # type: ignore[attr-defined]


def roamed(age_s: int | None, *lives_at: tuple[str, int]) -> Peer:
    """Return peer 1, configured at OLD, with its current endpoint ELSEWHERE."""
    return with_reality(peer(1, age_s, current=ELSEWHERE), *lives_at)


# Rule 2: set when the hint differs, and only then


def test_new_hint_is_set_once_and_reported_before_anything_is_sent() -> None:
    rig = Rig(with_reality(peer(1), NEW))
    outcome = rig.get(table(entry(1, NEW), seq="41"))
    assert outcome.places == [(1, NEW)]
    kinds = [event.kind for event in outcome.events if event.kind in ("set", "publish", "ping")]
    assert kinds[:4] == ["set", "publish", "ping", "publish"]
    assert set(kinds[4:]) == {"ping"}
    assert [(report.stage, report.seq) for report in outcome.reports] == [("applied", 41), ("final", 41)]
    assert outcome.did == {1: "set"}
    assert (rig.current(1), rig.configured(1)) == (NEW, NEW)


def test_report_names_both_endpoints_handshake_and_bytes() -> None:
    outcome = Rig(with_reality(peer(1, 92), NEW)).get(table(entry(1, NEW)))
    applied, final = (report.peers[0] for report in outcome.reports)
    for line in (applied, final):
        assert line.configured is not None
        assert line.current is not None
        assert (line.configured.address, line.configured.port) == (line.current.address, line.current.port) == NEW
        assert line.handshake_s == 92
    assert int(final.rx) > int(applied.rx)


def test_hint_that_is_configured_is_left_alone() -> None:
    outcome = Rig(peer(1)).get(table(entry(1, OLD)))
    assert (outcome.sets, outcome.pings, outcome.did) == ([], [], {1: "same"})
    assert stages(outcome.reports) == ["final"]


def test_kick_with_hint_that_is_configured_only_sends() -> None:
    outcome = Rig(peer(1)).get(table(entry(1, OLD, kick=True)))
    assert (outcome.sets, outcome.pings, outcome.did) == ([], [ping_of(1)], {1: "same"})


@pytest.mark.parametrize("kick", [False, True])
@pytest.mark.parametrize("after_ms", [0, 450])
@pytest.mark.parametrize("lives_at", [NEW, ELSEWHERE])
def test_replay_changes_nothing_and_writes_nothing(kick: bool, after_ms: int, lives_at: tuple[str, int]) -> None:  # noqa: FBT001 - a table
    rig = Rig(with_reality(peer(1), lives_at))
    payload = table(entry(1, NEW, kick=kick, after_ms=after_ms))
    assert rig.get(payload).places == [(1, NEW)]
    for _ in range(3):
        again = rig.get(payload)
        assert (again.sets, again.errors) == ([], [])
        assert again.did == {1: "same"}
    assert rig.configured(1) == NEW


def test_dead_peer_without_after_ms_is_set_at_once() -> None:
    for age_s in (DEAD_S, None, 151):
        outcome = Rig(with_reality(peer(1, age_s), NEW)).get(table(entry(1, NEW)))
        assert [(each.ms, each.place) for each in outcome.sets] == [(0.0, NEW)]


# Rule 2: a roamed peer that lives


def test_roamed_peer_that_answers_is_kept() -> None:
    rig = Rig(roamed(10, ELSEWHERE))
    outcome = rig.get(table(entry(1, NEW)))
    assert (outcome.sets, outcome.pings, outcome.did) == ([], [ping_of(1)], {1: "kept"})
    assert rig.current(1) == ELSEWHERE


def test_roamed_peer_whose_bytes_grow_without_a_reply_is_kept() -> None:
    rig = Rig(with_reality(peer(1, current=ELSEWHERE), ELSEWHERE, answers_ping=False))
    outcome = rig.get(table(entry(1, NEW)))
    assert (outcome.sets, outcome.pings, outcome.did) == ([], [ping_of(1)], {1: "kept"})


def test_roamed_peer_that_is_silent_is_overwritten_after_two_packets() -> None:
    outcome = Rig(roamed(10, NEW)).get(table(entry(1, NEW)))
    assert outcome.places == [(1, NEW)]
    assert outcome.did == {1: "set"}
    (when,) = [each.ms for each in outcome.sets]
    assert when <= 400
    assert len([event for event in outcome.find("ping") if event.ms <= when]) == 2


@pytest.mark.parametrize(("many", "limit_ms"), [(1, 400), (5, 550), (10, 600), (30, 1_000), (60, 1_500)])
@pytest.mark.parametrize("lasts", ["answer", "interval"])
def test_roamed_peers_are_asked_before_any_is_waited_for(many: int, limit_ms: int, lasts: Any) -> None:  # noqa: ANN401 - a table
    """The silent ones are set soon; the one that answers is probed last, and kept."""
    silent = [with_reality(peer(number, current=ELSEWHERE)) for number in range(1, many + 1)]
    living = with_reality(peer(many + 1, current=ELSEWHERE), ELSEWHERE)
    rig = Rig(*silent, living, switches=Switches(ping_lasts=lasts))
    outcome = rig.get(table(*(entry(number, place_of(number, 2000)) for number in range(1, many + 2))))
    if many <= 30:
        assert outcome.did[many + 1] == "kept"
    assert sorted(each.number for each in outcome.sets if each.number <= many) == list(range(1, many + 1))
    assert max(each.ms for each in outcome.sets) <= limit_ms
    assert outcome.find("publish")[0].ms <= limit_ms


def test_roamed_peers_where_a_ping_lasts_a_second_hold_the_table_up_for_one_or_two() -> None:
    silent = [with_reality(peer(number, current=ELSEWHERE)) for number in range(1, 11)]
    outcome = Rig(*silent, switches=Switches(ping_lasts="second")).get(
        table(*(entry(number, place_of(number, 2000)) for number in range(1, 11)))
    )
    assert len(outcome.sets) == 10
    assert max(each.ms for each in outcome.sets) <= 2_500


def test_peer_that_roamed_to_the_hint_already_is_left_alone() -> None:
    rig = Rig(with_reality(peer(1, current=NEW), NEW))
    outcome = rig.get(table(entry(1, NEW)))
    assert (outcome.sets, outcome.pings, outcome.did) == ([], [], {1: "roamed"})
    assert rig.configured(1) == OLD


def test_roamed_peer_that_is_dead_is_not_asked() -> None:
    outcome = Rig(roamed(DEAD_S, NEW)).get(table(entry(1, NEW)))
    assert [(each.ms, each.place) for each in outcome.sets] == [(0.0, NEW)]


# Rule 2: a dead peer that strayed from where it is set to be


def test_dead_stray_after_a_kick_is_applied_again() -> None:
    rig = Rig(roamed(DEAD_S, OLD))
    outcome = rig.get(table(entry(1, OLD, kick=True)))
    assert (outcome.places, outcome.did) == ([(1, OLD)], {1: "reapplied"})
    assert rig.current(1) == OLD


def test_dead_stray_that_the_same_value_does_not_move_gets_another_port_first() -> None:
    rig = Rig(roamed(DEAD_S, OLD), switches=Switches(same_endpoint_ignored=True))
    outcome = rig.get(table(entry(1, OLD, kick=True)))
    other = (OLD[0], OLD[1] - 1)
    assert (outcome.places, outcome.did) == ([(1, OLD), (1, other), (1, OLD)], {1: "reapplied"})
    assert (rig.current(1), rig.configured(1)) == (OLD, OLD)


def test_dead_stray_at_port_1_gets_the_last_port_between() -> None:
    first = (OLD[0], 1)
    rig = Rig(
        with_reality(peer(1, DEAD_S, configured=first, current=ELSEWHERE), first),
        switches=Switches(same_endpoint_ignored=True),
    )
    outcome = rig.get(table(entry(1, first, kick=True)))
    assert outcome.places == [(1, first), (1, (OLD[0], 65535)), (1, first)]


def test_dead_stray_that_cannot_be_set_is_reported_as_failed() -> None:
    rig = Rig(roamed(DEAD_S, OLD))
    rig.device.refuses = frozenset({key_of(1)})
    outcome = rig.get(table(entry(1, OLD, kick=True)))
    assert (outcome.sets, outcome.did) == ([], {1: "failed"})


@pytest.mark.parametrize("refused", [{1}, {2}, {1, 2}])
def test_dead_stray_is_never_left_with_the_other_port_by_a_set_that_fails(refused: set[int]) -> None:
    """Another port is set and then the right one: whichever fails once, the right one is configured at the end."""
    rig = Rig(roamed(DEAD_S, OLD), switches=Switches(same_endpoint_ignored=True))
    rig.device.refuses_sets = frozenset(refused)
    outcome = rig.get(table(entry(1, OLD, kick=True)))
    assert rig.configured(1) == OLD
    assert outcome.did == {1: "reapplied"}


def test_dead_stray_without_a_kick_is_left_alone() -> None:
    assert Rig(roamed(DEAD_S, OLD)).get(table(entry(1, OLD))).sets == []


def test_living_stray_after_a_kick_is_left_alone() -> None:
    rig = Rig(roamed(10, ELSEWHERE))
    outcome = rig.get(table(entry(1, OLD, kick=True)))
    assert (outcome.sets, outcome.did, rig.current(1)) == ([], {1: "same"}, ELSEWHERE)


def test_peer_without_a_current_endpoint_is_not_taken_for_a_stray() -> None:
    """Setting a disabled peer, or one that WireGuard does not use yet, would only wear flash."""
    rig = Rig(peer(1, None))
    rig.item(key_of(1)).kept["disabled"] = True
    rig.device.remove_peer(key_of(1))
    outcome = rig.get(table(entry(1, OLD, kick=True)))
    assert (outcome.sets, outcome.errors) == ([], [])


def test_peer_configured_by_name_that_is_where_the_hint_says_is_left_alone() -> None:
    rig = Rig(with_reality(peer(1), OLD))
    rig.item(key_of(1)).kept["endpoint-address"] = "site.example.net"
    outcome = rig.get(table(entry(1, OLD)))
    assert (outcome.sets, outcome.did) == ([], {1: "roamed"})
