"""The emitted handler and a hostile hub: where it may send, what it may set, and how often."""

import json
from collections.abc import Iterable

import pytest

from lab.fuzz.handler_rig import Rig, entry, key_of, peer, ping_of, place_of, table, with_reality
from lab.routeros.language.values import Value
from lab.routeros.menus.items import ItemMenu
from lab.routeros.switches import Switches

NEW = place_of(1, 2000)
WRITES_PER_MINUTE, PINGS_PER_MINUTE = 150, 600
SHARED = Switches(hook_globals="shared")
SPECIAL = (
    "0.0.0.0",  # noqa: S104 - no address to bind to
    "0.1.2.3",
    "127.0.0.1",
    "127.255.255.255",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "ff02::1",
    "FF05::2",
)


@pytest.mark.parametrize("address", SPECIAL)
def test_special_address_is_rejected_as_endpoint_and_as_ping(address: str) -> None:
    rig = Rig(peer(1, allowed=("0.0.0.0/0", "::/0")), peer(2))
    for line in (entry(1, (address, 2000)), {**entry(1, NEW), "ping": address}):
        outcome = rig.get(table(line, entry(2, place_of(2), kick=True)))
        assert (outcome.sets, set(outcome.pings)) == ([], {ping_of(2)})
        assert outcome.reports[-1].error.startswith("rejected 1")


@pytest.mark.parametrize("address", ["1.0.0.1", "126.1.1.1", "128.0.0.1", "223.255.255.254", "2001:db8::ff", "fe80::1"])
def test_usual_address_beside_the_special_ones_is_set(address: str) -> None:
    assert Rig(peer(1)).get(table(entry(1, (address, 2000)))).places == [(1, (address, 2000))]


@pytest.mark.parametrize(
    ("menu", "own", "address"),
    [("/ip/address", "198.51.100.7/24", "198.51.100.7"), ("/ipv6/address", "2001:db8:5::7/64", "2001:DB8:5::7")],
)
def test_own_address_of_the_router_is_rejected(menu: str, own: str, address: str) -> None:
    rig = Rig(peer(1))
    addresses = rig.router.menu(menu)
    assert isinstance(addresses, ItemMenu)
    addresses.append({"address": own, "interface": "ether1", "disabled": False, "dynamic": True})
    outcome = rig.get(table(entry(1, (address, 2000))))
    assert outcome.sets == []
    assert outcome.reports[-1].error.startswith("rejected 1, last: own address")
    neighbour = (address[:-1] + "8", 2000)
    assert [place[1] for _, place in rig.get(table(entry(1, neighbour))).places] == [2000]


@pytest.mark.parametrize("ping", ["10.99.0.1", "192.168.7.1", "2001:db8:9::1", ping_of(2)])
def test_ping_address_that_the_peer_does_not_carry_is_never_sent_to(ping: str) -> None:
    rig = Rig(peer(1), peer(2))
    outcome = rig.get(table({**entry(1, NEW, kick=True), "ping": ping}))
    assert outcome.find("ping") == []
    assert outcome.places == [(1, NEW)]
    assert outcome.reports[-1].error == f"no ping, it is not behind {key_of(1)}"
    assert len(outcome.logs) == 1


@pytest.mark.parametrize("allowed", [("10.98.0.0/16",), ("2001:db8::/32", "10.98.0.2/32"), ("0.0.0.0/0",)])
def test_ping_address_that_the_peer_carries_in_any_prefix_is_sent_to(allowed: tuple[str, ...]) -> None:
    outcome = Rig(peer(1, allowed=allowed)).get(table(entry(1, NEW)))
    assert set(outcome.pings) == {ping_of(1)}
    assert outcome.reports[-1].error == ""


def flood(rig: Rig, payloads: Iterable[bytes]) -> tuple[int, int]:
    """Send a table every second; return the numbers of writes and pings."""
    before = len(rig.events)
    seconds = 0.0
    for payload in payloads:
        rig.get_later(seconds, payload)
        seconds += 1
    rig.clock.settle(seconds + 60)
    kinds = [event.kind for event in rig.events[before:]]
    return kinds.count("set"), kinds.count("ping")


def test_writes_and_pings_within_a_minute_are_limited_whatever_tables_say() -> None:
    numbers = range(1, 21)
    rig = Rig(*(with_reality(peer(number)) for number in numbers), switches=SHARED)

    def moved(number: int) -> bytes:
        return table(*(entry(each, place_of(each, 2000 + number), kick=True) for each in numbers), seq=str(number + 7))

    writes, pings = flood(rig, map(moved, range(50)))
    assert writes == WRITES_PER_MINUTE
    assert pings <= PINGS_PER_MINUTE
    logs = {str(event.fields["text"]) for event in rig.find("log")}
    assert "wgmqtt: limit reached: 150 writes or 600 pings within a minute" in logs
    report = json.loads(rig.broker.retained["wgmqtt/v1/berlin/report"])
    assert report["error"].startswith("limit reached")
    rig.clock.sleep(61)
    assert rig.get(table(entry(1, place_of(1, 9)), seq="99")).places == [(1, place_of(1, 9))]


def test_limit_where_globals_are_not_kept_is_one_for_each_table() -> None:
    rig = Rig(peer(1), switches=Switches(hook_globals="own"))
    for number in range(3):
        assert len(rig.get(table(entry(1, place_of(1, 2000 + number)))).sets) == 1


@pytest.mark.parametrize("value", ["text", 0, True])
def test_counters_that_something_else_has_set_do_no_harm(value: Value) -> None:
    rig = Rig(peer(1), switches=SHARED)
    for name in ("wgmqttTurn", "wgmqttSince", "wgmqttWrites", "wgmqttPings"):
        rig.router._hook_globals.set(name, value)
    outcome = rig.get(table(entry(1, NEW, kick=True)))
    assert outcome.errors == []
    assert outcome.places == [(1, NEW)]


# A disabled peer


@pytest.mark.parametrize("kick", [False, True])
@pytest.mark.parametrize("after_ms", [0, 450])
def test_disabled_peer_is_reported_and_nothing_is_set_or_sent(kick: bool, after_ms: int) -> None:  # noqa: FBT001 - a table
    rig = Rig(peer(1, None), peer(2))
    rig.router.run_script(f'/interface/wireguard/peers/set [find where public-key="{key_of(1)}"] disabled=yes')
    outcome = rig.get(table(entry(1, NEW, kick=kick, after_ms=after_ms), entry(2, place_of(2, 2000))))
    assert outcome.places == [(2, place_of(2, 2000))]
    assert set(outcome.pings) == {ping_of(2)}
    assert outcome.did == {1: "disabled", 2: "set"}
    assert (outcome.logs, outcome.errors) == ([], [])


# After success


def test_peer_that_answered_is_sent_to_again_after_two_three_and_four_seconds() -> None:
    """A NAT with a timeout of 10 s until a mapping is a stream forgets one packet each way."""
    outcome = Rig(with_reality(peer(1), NEW), with_reality(peer(2))).get(
        table(entry(1, NEW), entry(2, place_of(2, 2000)))
    )
    assert [address for address, _ in outcome.later_pings] == [ping_of(1)] * 3
    for (_, seconds), expected in zip(outcome.later_pings, (2, 3, 4), strict=True):
        assert expected <= seconds < expected + 0.5
    final = outcome.find("publish")[-1]
    assert final.ms < 1_000


def test_newer_table_ends_the_packets_after_success() -> None:
    rig = Rig(with_reality(peer(1), NEW), switches=SHARED)
    rig.get_later(2.5, table(entry(1, NEW), seq="8"))
    outcome = rig.get(table(entry(1, NEW), seq="7"))
    assert len([event for event in outcome.find("ping") if event.ms > 1_000]) == 1


def test_replay_sends_nothing_afterwards_either() -> None:
    rig = Rig(with_reality(peer(1), NEW))
    rig.get(table(entry(1, NEW)))
    again = rig.get(table(entry(1, NEW)))
    assert (again.pings, again.later_pings) == ([], [])
