"""The emitted handler and time: the wait without a live session, and handlers that run side by side."""

from typing import Literal

import pytest

from lab.fuzz.handler_rig import DEAD_S, Rig, entry, peer, ping_of, place_of, table, with_reality
from lab.routeros.models.device import Place, Reality
from lab.routeros.switches import Switches

SHARED = Switches(hook_globals="shared")
OLD, NEW, NEWER, ELSEWHERE = place_of(1), place_of(1, 2000), place_of(1, 3000), ("203.0.113.9", 4000)


# Rule 4: without a live session one end waits


@pytest.mark.parametrize("age_s", [None, DEAD_S, 151])
def test_wait_without_a_live_session_lasts_450_ms(age_s: int | None) -> None:
    outcome = Rig(with_reality(peer(1, age_s), NEW)).get(table(entry(1, NEW, after_ms=450, kick=True)))
    assert [(each.ms, each.place) for each in outcome.sets] == [(450.0, NEW)]
    assert outcome.find("ping")[0].ms >= 450


def test_wait_with_a_live_session_is_none() -> None:
    outcome = Rig(with_reality(peer(1, 149), NEW)).get(table(entry(1, NEW, after_ms=450, kick=True)))
    assert [each.ms for each in outcome.sets] == [0.0]


def test_wait_for_a_kick_alone_holds_back_the_packet() -> None:
    """Nothing has to be set, but a handshake now would cross the one of the other end."""
    outcome = Rig(peer(1, DEAD_S)).get(table(entry(1, OLD, after_ms=450, kick=True)))
    assert outcome.sets == []
    assert outcome.find("ping")[0].ms >= 450


@pytest.mark.parametrize(("after_ms", "at_least_ms"), [(450, 450), (499, 499), (70, 70), (2000, 2000)])
def test_wait_is_never_shorter_than_after_ms(after_ms: int, at_least_ms: int) -> None:
    outcome = Rig(with_reality(peer(1, None), NEW)).get(table(entry(1, NEW, after_ms=after_ms)))
    (when,) = [each.ms for each in outcome.sets]
    assert at_least_ms <= when <= at_least_ms + 50


@pytest.mark.parametrize("after_ms", [-1, 0, 2001, 10**12, "450", True, [450], 49])
def test_wait_out_of_range_or_of_another_type_is_none(after_ms: object) -> None:
    outcome = Rig(with_reality(peer(1, None), NEW)).get(table(entry(1, NEW, after_ms=after_ms)))
    assert [each.ms for each in outcome.sets] == [0.0]


def test_wait_of_one_peer_holds_no_other_back() -> None:
    rig = Rig(with_reality(peer(1, None), NEW), with_reality(peer(2, None), NEWER))
    outcome = rig.get(table(entry(1, NEW, after_ms=450), entry(2, NEWER)))
    assert [each.number for each in outcome.sets] == [2, 1]
    assert outcome.sets[0].ms == 0
    assert 450 <= outcome.sets[1].ms <= 500
    first = outcome.find("ping")[0]
    assert (first.fields["address"], first.ms < 100) == (ping_of(2), True)


@pytest.mark.parametrize("comes_from", [NEW, ELSEWHERE])
def test_session_that_comes_up_during_the_wait_is_kept(comes_from: Place) -> None:
    """The handshake of the other end arrived, from the expected endpoint or another: the path works."""
    rig = Rig(with_reality(peer(1, None), comes_from))
    rig.later(0.2, 1, comes_from)
    outcome = rig.get(table(entry(1, NEW, after_ms=450, kick=True)))
    assert (outcome.sets, outcome.did, rig.current(1)) == ([], {1: "kept"}, comes_from)
    assert outcome.errors == []


@pytest.mark.parametrize(("hook_globals", "lives_at"), [("own", NEWER), ("shared", NEWER), ("shared", ELSEWHERE)])
def test_newer_table_that_acted_during_the_wait_is_left_in_force(
    hook_globals: Literal["own", "shared"], lives_at: Place
) -> None:
    rig = Rig(with_reality(peer(1, None), lives_at), switches=Switches(hook_globals=hook_globals))
    rig.get_later(0.2, table(entry(1, NEWER), seq="8"))
    outcome = rig.get(table(entry(1, NEW, after_ms=450), seq="7"))
    assert outcome.places == [(1, NEWER)]
    older = [report for report in outcome.reports if report.seq == 7]
    assert [line.did for line in older[-1].peers] == ["newer"]


def test_newer_table_with_the_same_hint_during_the_wait_is_not_done_twice() -> None:
    rig = Rig(with_reality(peer(1, None), NEW))
    rig.get_later(0.2, table(entry(1, NEW), seq="8"))
    outcome = rig.get(table(entry(1, NEW, after_ms=450), seq="7"))
    assert outcome.places == [(1, NEW)]


# Two handlers at once: what the newer one set stays


def in_force(rig: Rig) -> tuple[object, object]:
    return rig.configured(1), rig.current(1)


def test_newer_table_during_a_probe_stays_in_force() -> None:
    """The older handler probes a roamed peer for 400 ms, a newer table is applied meanwhile; the older ends last."""
    rig = Rig(with_reality(peer(1, current=ELSEWHERE), NEWER))
    rig.get_later(0.25, table(entry(1, NEWER), entry(2, None), seq="8"))
    rig.get(table(entry(1, NEW), seq="7"))
    assert in_force(rig) == (NEWER, NEWER)


def test_newer_table_that_acts_while_the_older_still_asks_stays_in_force() -> None:
    """The session is 149 s old when the older handler begins and 150 when the newer does, which sets at once."""
    rig = Rig(peer(1, 149, current=ELSEWHERE, reality=Reality()), switches=SHARED)
    rig.clock.sleep(0.9)
    rig.get_later(0.15, table(entry(1, NEWER), seq="8"))
    outcome = rig.get(table(entry(1, NEW), seq="7"))
    assert [place for _, place in outcome.places] == [NEWER]
    assert in_force(rig) == (NEWER, NEWER)


def test_newer_table_during_the_sweeps_stays_in_force() -> None:
    """The older handler re-applies a dead stray after its sweeps; by then a newer table has moved the peer."""
    rig = Rig(with_reality(peer(1, DEAD_S, current=ELSEWHERE)), with_reality(peer(2, DEAD_S)))
    rig.get_later(0.3, table(entry(1, NEWER, after_ms=0), seq="8"))
    rig.get(table(entry(1, OLD, kick=True), entry(2, NEW, kick=True), seq="7"))
    assert rig.configured(1) == NEWER


def test_newer_table_while_the_older_is_reapplied_stays_in_force() -> None:
    """As before, with the switch by which setting the same endpoint has no effect, so that three sets are needed."""
    rig = Rig(
        with_reality(peer(1, DEAD_S, current=ELSEWHERE)),
        switches=Switches(same_endpoint_ignored=True),
    )
    rig.get_later(0.5, table(entry(1, NEWER), seq="8"))
    rig.get(table(entry(1, OLD, kick=True), seq="7"))
    assert in_force(rig) == (NEWER, NEWER)


PHASES_S = [0.0, 0.05, 0.2, 0.4, 0.449, 0.45, 0.6, 1.0, 3.0]


@pytest.mark.parametrize("delay_s", PHASES_S)
@pytest.mark.parametrize("age_s", [10, 149, 151, None])
@pytest.mark.parametrize("current", [OLD, ELSEWHERE])
@pytest.mark.parametrize("hook_globals", ["own", "shared"])
def test_newest_table_wins_whenever_it_comes(
    delay_s: float, age_s: int | None, current: Place, hook_globals: Literal["own", "shared"]
) -> None:
    """The newer table, with wait and kick, arrives in every phase of the older handler."""
    switches = Switches(hook_globals=hook_globals)
    rig = Rig(peer(1, age_s, current=current, reality=Reality(frozenset({NEWER}))), switches=switches)
    rig.get_later(delay_s, table(entry(1, NEWER, kick=True, after_ms=450), seq="8"))
    outcome = rig.get(table(entry(1, NEW, kick=True, after_ms=450), seq="7"))
    assert outcome.errors == []
    assert in_force(rig) == (NEWER, NEWER)


@pytest.mark.parametrize("delay_s", PHASES_S)
@pytest.mark.parametrize("age_s", [10, 149, 151, None])
@pytest.mark.parametrize("current", [OLD, ELSEWHERE])
@pytest.mark.parametrize("kick", [False, True])
def test_newest_table_wins_when_it_takes_the_older_one_back(
    delay_s: float,
    age_s: int | None,
    current: Place,
    kick: bool,  # noqa: FBT001 - a table
) -> None:
    rig = Rig(peer(1, age_s, current=current, reality=Reality(frozenset({OLD}))), switches=SHARED)
    rig.get_later(delay_s, table(entry(1, OLD, kick=kick, after_ms=450), seq="8"))
    outcome = rig.get(table(entry(1, NEW, kick=True, after_ms=450), seq="7"))
    assert outcome.errors == []
    assert rig.configured(1) == OLD


def test_same_table_twice_at_once_is_set_once() -> None:
    rig = Rig(with_reality(peer(1, None), NEW))
    payload = table(entry(1, NEW, kick=True, after_ms=450))
    rig.get_later(0.1, payload)
    outcome = rig.get(payload)
    assert outcome.places == [(1, NEW)]
    assert outcome.errors == []


def test_three_handlers_at_once_end_in_the_newest() -> None:
    rig = Rig(with_reality(peer(1, None), NEWER), with_reality(peer(2)), switches=SHARED)
    rig.get_later(0.1, table(entry(1, NEW, after_ms=450), entry(2, place_of(2, 9)), seq="8"))
    rig.get_later(0.2, table(entry(1, NEWER), entry(2, place_of(2, 10)), seq="9"))
    outcome = rig.get(table(entry(1, place_of(1, 1), after_ms=450), entry(2, place_of(2, 8)), seq="7"))
    assert in_force(rig) == (NEWER, NEWER)
    assert rig.configured(2) == place_of(2, 10)
    assert outcome.errors == []
