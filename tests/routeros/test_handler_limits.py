"""The emitted handler and size: many peers, the longest table, the longest report that a version can send."""

import json

import pytest

from lab.fuzz.handler_rig import DEAD_S, Rig, entry, peer, ping_of, place_of, table, with_reality
from lab.routeros.models.device import Place
from lab.routeros.mqtt.rules import message_limit_bytes
from wgmqtt.wire.table import MAX_TABLE_BYTES

MANY = 100


def moved(number: int) -> Place:
    return place_of(number, 2000)


def many(age_s: int | None = 10) -> Rig:
    return Rig(*(with_reality(peer(number, age_s), moved(number)) for number in range(1, MANY + 1)))


def test_a_hundred_peers_are_set_before_anything_is_sent() -> None:
    outcome = many().get(table(*(entry(number, moved(number), kick=True) for number in range(1, MANY + 1))))
    assert sorted(outcome.places) == [(number, moved(number)) for number in range(1, MANY + 1)]
    assert {each.ms for each in outcome.sets} == {0.0}
    assert len(set(outcome.pings)) == MANY
    assert [report.stage for report in outcome.reports] == ["applied", "final"]


def test_sending_to_many_silent_peers_ends_after_about_five_seconds() -> None:
    """Three rounds to 100 silent peers would take a minute, which is too long."""
    rig = Rig(*(with_reality(peer(number)) for number in range(1, MANY + 1)))
    outcome = rig.get(table(*(entry(number, moved(number), kick=True) for number in range(1, MANY + 1))))
    assert 4_800 <= outcome.find("handler-done")[0].ms <= 5_500
    assert len(outcome.sets) == MANY


def test_a_hundred_peers_replayed_write_nothing_and_send_nothing() -> None:
    rig = many()
    payload = table(*(entry(number, moved(number)) for number in range(1, MANY + 1)))
    rig.get(payload)
    again = rig.get(payload)
    assert (again.sets, again.pings) == ([], [])
    assert [len(report.peers) for report in again.reports] == [0]


@pytest.mark.parametrize("version", ["7.17.1", "7.18.2", "7.24"])
def test_report_of_a_hundred_peers_with_the_longest_endpoints_can_be_sent(version: str) -> None:
    longest = {number: (f"2001:db8:aaaa:bbbb:cccc:dddd:eeee:{0xF000 + number:x}", 60_000) for number in range(MANY + 1)}
    rig = Rig(*(peer(number, DEAD_S + 10**6) for number in range(1, MANY + 1)), version=version)
    outcome = rig.get(table(*(entry(number, longest[number], kick=True) for number in range(1, MANY + 1))))
    assert len(outcome.sets) == MANY
    assert len(outcome.payloads) == 2
    assert max(map(len, outcome.payloads)) <= message_limit_bytes(version)
    assert all(report.peers for report in outcome.reports)


def test_report_of_many_names_first_what_was_done() -> None:
    rig = many()
    lines = [entry(number, moved(number) if number % 20 == 0 else place_of(number)) for number in range(1, MANY + 1)]
    outcome = rig.get(table(*lines))
    assert outcome.did == dict.fromkeys(range(20, MANY + 1, 20), "set")


def test_table_of_15_000_bytes_is_followed() -> None:
    numbers = range(1, 96)
    rig = Rig(*(peer(number) for number in numbers))
    payload = table(*(entry(number, moved(number), kick=True, after_ms=450) for number in numbers))
    payload = payload[:-1] + b',"pad":"' + b"x" * (MAX_TABLE_BYTES - len(payload) - 9) + b'"}'
    assert 14_990 <= len(payload) <= MAX_TABLE_BYTES
    assert len(json.loads(payload)["peers"]) == 95
    outcome = rig.get(payload)
    assert len(outcome.sets) == 95
    assert outcome.errors == []


@pytest.mark.parametrize("size", [16_384, 32_768, 200_000])
def test_payload_beyond_what_the_hub_sends_does_no_harm(size: int) -> None:
    rig = Rig(peer(1))
    outcome = rig.get(table(entry(1, moved(1)), pad="x" * size))
    assert outcome.places == [(1, moved(1))]
    assert outcome.errors == []


def test_one_entry_of_many_lines_is_one_peer() -> None:
    rig = Rig(peer(1))
    outcome = rig.get(table(*(entry(1, moved(1), kick=True) for _ in range(100))))
    assert outcome.places == [(1, moved(1))]
    assert set(outcome.pings) == {ping_of(1)}
    assert len(outcome.pings) == 3
