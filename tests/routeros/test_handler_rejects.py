"""The emitted handler and invalid tables: invalid parts are rejected, and the rest is applied."""

import json
from typing import Literal

import pytest

from lab.fuzz.handler_rig import HUB_PLACE, Outcome, Rig, entry, key_of, peer, ping_of, place_of, table
from lab.routeros.language.call import OddValues
from lab.routeros.switches import Switches
from tests.routeros.rejected_entries import (
    BAD_ADDRESSES,
    BAD_JSON,
    BAD_PORTS,
    HOSTILE_TEXTS,
    MODES,
    NEW,
    NO_TABLE,
    WRONG_TYPES,
)


@pytest.fixture(params=MODES)
def rig(request: pytest.FixtureRequest) -> Rig:
    """Give a router with two peers, for each possible treatment of odd values by RouterOS."""
    return Rig(peer(1), peer(2), switches=Switches(odd_values=request.param))


def rejected_whole(outcome: Outcome) -> bool:
    """Return whether the whole table was rejected: RouterOS may not deserialize null or 1.5."""
    return outcome.reports[-1].error == "table rejected"


def require_rejected_whole(rig: Rig, payload: bytes) -> Outcome:
    """Send a payload, require that nothing changes, and return the outcome."""
    before = [(rig.configured(number), rig.current(number)) for number in (0, 1, 2)]
    outcome = rig.get(payload)
    assert (outcome.sets, outcome.pings, outcome.errors, outcome.find("put")) == ([], [], [], [])
    assert [(rig.configured(number), rig.current(number)) for number in (0, 1, 2)] == before
    assert len(outcome.logs) == 1
    assert "table rejected, nothing changed" in outcome.logs[0]
    assert [(report.stage, report.error) for report in outcome.reports] == [("final", "table rejected")]
    return outcome


def only_good(rig: Rig, *lines: object) -> Outcome:
    """Send a table with one valid entry, require that only this entry is applied, and return the outcome."""
    before = rig.configured(1)
    place = place_of(2, rig.configured(2)[1] + 1)
    outcome = rig.get(table(*lines, entry(2, place)))
    assert (outcome.errors, outcome.find("put")) == ([], []), lines
    assert outcome.places == ([] if rejected_whole(outcome) else [(2, place)]), lines
    assert (rig.configured(0), rig.configured(1)) == (HUB_PLACE, before), lines
    assert len(outcome.logs) <= 1
    assert all(len(line) < 300 for line in outcome.logs)
    return outcome


@pytest.mark.parametrize("name", BAD_JSON)
def test_text_that_is_not_json_changes_nothing_and_is_logged_once(rig: Rig, name: str) -> None:
    require_rejected_whole(rig, BAD_JSON[name])


def test_json_that_is_not_a_table_changes_nothing_and_is_logged_once(rig: Rig) -> None:
    for body in NO_TABLE.values():
        require_rejected_whole(rig, json.dumps(body).encode())


def test_peers_null_or_an_empty_text_changes_nothing(rig: Rig) -> None:
    """How RouterOS deserializes an empty list is not known, so an empty text must pass for one."""
    for peers in ("null", '""', "[]"):
        outcome = rig.get(f'{{"v":1,"seq":"7","peers":{peers}}}'.encode())
        assert (outcome.sets, outcome.pings, outcome.errors) == ([], [], [])
        assert outcome.reports[-1].error in ("", "table rejected")
    assert rig.get(table()).reports[-1].error == ""


def test_field_of_a_wrong_type_rejects_its_entry_alone(rig: Rig) -> None:
    """An address without text (null, an empty list) means to leave that peer alone."""
    for value in WRONG_TYPES:
        only_good(rig, *({**entry(1, NEW), field: value} for field in ("key", "address", "ping")))


def test_further_field_of_any_type_does_no_harm(rig: Rig) -> None:
    for number, value in enumerate(WRONG_TYPES):
        place = place_of(1, 3000 + number)
        further = dict.fromkeys(["name", "kick", "after_ms", "via", "prefixes", "disabled", ".id", "numbers"], value)
        outcome = rig.get(table({**entry(1, place), **further}, hub=value, self=value))
        assert outcome.places == ([] if rejected_whole(outcome) else [(1, place)]), value
        assert all(set(each.changes) == {"endpoint-address", "endpoint-port"} for each in outcome.sets)
        assert outcome.errors == []


def test_line_that_is_no_object_is_rejected_alone(rig: Rig) -> None:
    for line in [*WRONG_TYPES, [[], []], "x", [entry(1, NEW)]]:
        assert only_good(rig, line).reports[-1].error


def test_hostile_text_is_data(rig: Rig) -> None:
    """RouterOS may read a part of a text as an address; then at most one packet goes nowhere."""
    for text in HOSTILE_TEXTS:
        only_good(rig, *({**entry(1, NEW), field: text} for field in ("key", "address", "port")))
        before = rig.configured(2)
        outcome = rig.get(table({**entry(1, NEW), "ping": text}))
        assert (outcome.errors, outcome.find("put"), rig.configured(2)) == ([], [], before)
        assert set(outcome.pings) <= {"0.0.0.0"}  # noqa: S104 - no address to bind to


def test_hostile_text_in_a_field_that_is_not_read_is_passed_over(rig: Rig) -> None:
    for number, text in enumerate(HOSTILE_TEXTS):
        place = place_of(1, 3000 + number)
        outcome = rig.get(table({**entry(1, place), "name": text, "kick": text, text: text}, hub=text, self=text))
        assert (outcome.errors, outcome.find("put")) == ([], [])
        assert outcome.places == ([] if rejected_whole(outcome) else [(1, place)]), text


def test_port_out_of_range_or_no_number_is_rejected_and_nothing_of_the_entry_is_done(rig: Rig) -> None:
    """RouterOS may truncate 1.5 to 1, which is a valid port; half an entry is never applied."""
    for port in BAD_PORTS:
        if port == 1.5 and rig.router.switches.odd_values == "number":
            assert rig.get(table({**entry(1, NEW), "port": port})).places == [(1, (NEW[0], 1))]
        else:
            only_good(rig, {**entry(1, NEW), "port": port})


def test_address_that_is_none_is_rejected(rig: Rig) -> None:
    """RouterOS may read an IPv6 address with a zone as that address, which is valid."""
    for address in BAD_ADDRESSES:
        only_good(rig, {**entry(1, NEW), "address": address})


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0::1", "2001:db8::1"),
        ("::ffff:198.51.100.7", "::ffff:c633:6407"),
        ("::198.51.100.7", "::c633:6407"),
    ],
)
def test_ipv6_in_an_odd_spelling_is_set_once_and_known_again(odd: str, plain: str) -> None:
    """A replay in another spelling must not write to flash."""
    rig = Rig(peer(1))
    first = rig.get(table(entry(1, (odd, 9))))
    assert first.places == [(1, (plain, 9))]
    for spelling in (odd, plain):
        again = rig.get(table(entry(1, (spelling, 9))))
        assert (again.sets, again.did) == ([], {1: "same"})


@pytest.mark.parametrize("key", [key_of(1)[:-2] + "B=", key_of(1).lower(), key_of(1)[:-1], key_of(1) + "=", "A" * 44])
def test_key_in_another_spelling_names_no_peer(rig: Rig, key: str) -> None:
    assert only_good(rig, {**entry(1, NEW), "key": key}).reports[-1].error.startswith("rejected 1")


def test_one_peer_twice_in_a_table_is_set_to_one_of_both_in_full() -> None:
    rig = Rig(peer(1))
    outcome = rig.get(table(entry(1, NEW), entry(1, ("203.0.113.5", 77))))
    assert outcome.places in ([(1, NEW)], [(1, ("203.0.113.5", 77))])
    assert outcome.errors == []


def test_one_peer_twice_the_second_time_wrong_keeps_the_first_in_full() -> None:
    outcome = Rig(peer(1)).get(table(entry(1, NEW), {**entry(1, ("203.0.113.5", 77)), "ping": "x"}))
    assert outcome.places == [(1, NEW)]


@pytest.mark.parametrize("mode", MODES)
def test_one_field_twice_in_an_entry_gives_no_mixture(mode: OddValues) -> None:
    rig = Rig(peer(1), switches=Switches(odd_values=mode))
    text = table(entry(1, NEW)).decode().replace('"port":2000', '"port":2000,"port":70000')
    outcome = rig.get(text.encode())
    assert outcome.places in ([], [(1, NEW)])
    assert outcome.errors == []


def test_a_hundred_rejected_entries_are_one_line_of_the_log_and_a_short_report() -> None:
    rig = Rig(peer(1))
    outcome = rig.get(table(*({**entry(1, NEW), "port": "x" * 40} for _ in range(100))))
    assert len(outcome.logs) == 1
    assert outcome.reports[-1].error.startswith("rejected 100, last: port")
    assert len(outcome.payloads[-1]) < 300


@pytest.mark.parametrize("hook_permissions", ["all", "no-test", "refuse-hook"])
def test_permission_to_ping_or_not_no_text_of_the_table_runs(
    hook_permissions: Literal["all", "no-test", "refuse-hook"],
) -> None:
    rig = Rig(peer(1), peer(2), switches=Switches(hook_permissions=hook_permissions))
    for text in HOSTILE_TEXTS:
        outcome = rig.get(table({**entry(1, NEW), "address": text, "ping": text}))
        assert (outcome.sets, outcome.pings, outcome.find("put")) == ([], [], [])


def test_ping_address_may_be_of_either_family_and_goes_by_this_peer() -> None:
    rig = Rig(peer(1, allowed=(f"{ping_of(1)}/32", "2001:db8:98::1/128")))
    outcome = rig.get(table({**entry(1, NEW), "ping": "2001:db8:98::1"}))
    assert set(outcome.pings) == {"2001:db8:98::1"}
