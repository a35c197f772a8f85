"""The emitted handler: which peers it sets, tables without endpoints, failing commands (rules 6 and 7)."""

from lab.fuzz.handler_rig import (
    HUB_KEY,
    HUB_PLACE,
    TABLE_TOPIC,
    Rig,
    entry,
    key_of,
    peer,
    ping_of,
    place_of,
    table,
    with_reality,
)
from lab.routeros.switches import Switches
from tests.routeros.test_handler_rules import NEW, stages

# Rule 7, and whose peers


def test_hub_is_never_touched() -> None:
    rig = Rig(peer(1))
    outcome = rig.get(table({**entry(0, NEW, kick=True), "key": HUB_KEY}, entry(1, NEW)))
    assert outcome.places == [(1, NEW)]
    assert rig.configured(0) == rig.current(0) == HUB_PLACE
    assert "hub's own peer" in outcome.reports[-1].error
    assert len(outcome.logs) == 1


def test_peer_of_another_interface_is_never_touched() -> None:
    rig = Rig(peer(1), others=[peer(2, interface="wireguard2")])
    outcome = rig.get(table(entry(1, NEW), entry(2, NEW)))
    assert outcome.places == [(1, NEW)]
    assert f"no peer {key_of(2)}" in outcome.reports[-1].error


def test_peer_that_is_missing_does_not_stop_the_others() -> None:
    outcome = Rig(peer(1), peer(2)).get(table(entry(1, NEW), entry(99, NEW), entry(2, NEW)))
    assert sorted(outcome.places) == [(1, NEW), (2, NEW)]
    assert outcome.reports[-1].error.startswith("rejected 1")


def test_peer_that_the_configuration_did_not_link_may_be_set_when_the_table_names_it() -> None:
    """The table decides, not the script, so a new link needs no new import."""
    assert Rig(peer(1), others=[peer(2)]).get(table(entry(2, NEW))).places == [(2, NEW)]


def test_peers_that_the_table_does_not_name_are_left_alone() -> None:
    assert Rig(peer(1), peer(2), peer(3)).get(table(entry(2, NEW))).places == [(2, NEW)]


# Rule 6: nothing known, nothing changed


def test_entry_without_address_is_left_alone() -> None:
    for line in (entry(1, None, kick=True), {**entry(1, NEW), "address": ""}):
        outcome = Rig(peer(1)).get(table(line))
        assert (outcome.sets, outcome.pings, outcome.reports[-1].error) == ([], [], "")


def test_empty_payload_changes_nothing_and_reports_nothing() -> None:
    outcome = Rig(peer(1)).get(b"")
    assert (outcome.sets, outcome.pings, outcome.payloads, outcome.logs, outcome.errors) == ([], [], [], [], [])


def test_empty_list_changes_nothing_and_is_reported() -> None:
    outcome = Rig(peer(1)).get(table(seq="12"))
    assert (outcome.sets, outcome.errors) == ([], [])
    assert [(report.seq, report.stage, report.peers, report.error) for report in outcome.reports] == [
        (12, "final", (), "")
    ]


def test_broker_lost_means_no_report_and_no_error() -> None:
    rig = Rig(with_reality(peer(1), NEW))
    rig.broker.is_up = False
    rig.router.cut_mqtt()
    before = len(rig.events)
    rig.router.inject(TABLE_TOPIC, table(entry(1, NEW)))
    rig.clock.settle(30)
    kinds = [event.kind for event in rig.events[before:]]
    assert "publish" not in kinds
    assert kinds.count("set") == kinds.count("handler-done") == 1
    assert all(event.fields["ok"] for event in rig.find("handler-done"))


# Rule 4 and 5: sending


def test_silent_peer_is_sent_to_in_three_rounds() -> None:
    outcome = Rig(with_reality(peer(1)), with_reality(peer(2))).get(table(entry(1, NEW), entry(2, NEW)))
    assert len(outcome.pings) == 6
    assert sorted(outcome.pings[:2]) == sorted(outcome.pings[2:4]) == [ping_of(1), ping_of(2)]


def test_peer_that_answers_is_not_sent_to_again() -> None:
    outcome = Rig(with_reality(peer(1), NEW), with_reality(peer(2))).get(table(entry(1, NEW), entry(2, NEW)))
    assert outcome.pings.count(ping_of(1)) == 1


def test_ping_without_a_route_stops_neither_set_nor_report() -> None:
    rig = Rig(peer(1), peer(2))
    rig.device.has_no_route = frozenset({ping_of(1)})
    outcome = rig.get(table(entry(1, NEW, kick=True), entry(2, NEW)))
    assert sorted(outcome.places) == [(1, NEW), (2, NEW)]
    assert stages(outcome.reports) == ["applied", "final"]
    assert outcome.errors == []


def test_set_that_fails_stops_neither_others_nor_the_report() -> None:
    rig = Rig(peer(1), peer(2), peer(3))
    rig.device.refuses = frozenset({key_of(2)})
    outcome = rig.get(table(entry(1, NEW), entry(2, NEW), entry(3, NEW)))
    assert sorted(outcome.places) == [(1, NEW), (3, NEW)]
    assert outcome.did == {1: "set", 2: "failed", 3: "set"}
    assert any("set failed" in line for line in outcome.logs)
    assert rig.configured(2) == place_of(2)


def test_waiting_peer_is_set_on_time_beside_many_that_send_first() -> None:
    """Peers that need not wait are sent to first, and do not delay the others."""
    ready = [with_reality(peer(number)) for number in range(1, 41)]
    rig = Rig(*ready, with_reality(peer(41, None), place_of(41, 2000)))
    lines = [entry(number, place_of(number), kick=True) for number in range(1, 41)]
    outcome = rig.get(table(*lines, entry(41, place_of(41, 2000), after_ms=450, kick=True)))
    ((when, number),) = [(each.ms, each.number) for each in outcome.sets]
    assert number == 41
    assert 450 <= when <= 550


def test_ping_of_a_prefix_instead_of_an_address_is_rejected() -> None:
    """RouterOS may read `0.0.0.0/0` as an address; its spelling must be that of the text."""
    for odd_values in ("refuse", "text", "number"):
        rig = Rig(peer(1), switches=Switches(odd_values=odd_values))
        outcome = rig.get(table({**entry(1, NEW), "ping": "0.0.0.0/0"}))
        assert (outcome.sets, outcome.pings) == ([], [])


def test_peer_removed_while_the_handler_sends_stops_neither_others_nor_the_report() -> None:
    rig = Rig(peer(1), peer(2))
    remove = f'/interface/wireguard/peers/remove [/interface/wireguard/peers/find where public-key="{key_of(1)}"]'
    rig.clock.after(0.3, lambda: rig.router.run_import(remove))
    outcome = rig.get(table(entry(1, NEW), entry(2, NEW)))
    assert outcome.errors == []
    assert stages(outcome.reports) == ["applied", "final"]
