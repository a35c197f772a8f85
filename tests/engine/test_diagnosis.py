"""What is wrong, in words: one case for each rule, and the status made of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.engine.reporting import SCRIPT, ask_again, line, make_status, report
from tests.engine.world import World, key_of, make_pair
from wgmqtt.engine.diagnosis import LINK_RULES, ROUTER_RULES, link_trouble, router_trouble
from wgmqtt.engine.events import PacketsRejected, PeersPolled, Reconfigured
from wgmqtt.model import Endpoint, PeerState, link_of
from wgmqtt.wire.hub import decode_status

NAMES = ("berlin", "cologne")
LINK = link_of(*NAMES)
Arrange = Callable[[World], None]


def both_report(world: World, **others: str) -> None:
    """Let both ends report that they applied their tables, without success."""
    report(world, "berlin", line("cologne", configured="203.0.113.2 51820", **others))
    report(world, "cologne", line("berlin", configured="203.0.113.1 51820", **others))


def both_fail_four_times(world: World) -> None:
    for _ in range(4):
        for stage in ("applied", "final"):
            report(world, "berlin", line("cologne", configured="203.0.113.2 51820"), stage=stage)
            report(world, "cologne", line("berlin", configured="203.0.113.1 51820"), stage=stage)
        world.wait(150)
    for name in NAMES:
        world.poll(name, f"203.0.113.{NAMES.index(name) + 1}")


def _no_handshake(world: World) -> None:
    world.step(PeersPolled("wg0", (), removed=(key_of("berlin"),)))


def _silent(world: World) -> None:
    both_report(world)
    world.wait(200)


def _rejected(world: World) -> None:
    _silent(world)
    world.step(PacketsRejected("wg0", (Endpoint("203.0.113.1", 4711), Endpoint("203.0.113.2", 1))))


def _no_answer(world: World) -> None:
    both_report(world)
    world.poll("cologne", "203.0.113.9")
    world.wait(70)
    world.poll("berlin", "203.0.113.1")


def _overwritten(world: World) -> None:
    for _ in range(4):
        report(world, "berlin", line("cologne", "set", "203.0.113.2 51820"))
        ask_again(world, "berlin")


def _changing_port(world: World) -> None:
    for port in (1, 2):
        both_report(world)
        world.wait(30)
        world.poll("berlin", "203.0.113.1", port)
    world.wait(30)
    both_report(world)


def _private(world: World) -> None:
    both_report(world)
    world.poll("berlin", "192.168.1.7")
    world.wait(30)


def _alternating(world: World) -> None:
    for number in range(7):
        world.poll("berlin", "203.0.113.77" if number % 2 == 0 else "203.0.113.1")
        world.wait(60)
        both_report(world)


@dataclass(frozen=True)
class Case:
    """What happens to a pair, and what the diagnosis of berlin (or of the link) starts with."""

    rule: str
    arrange: Arrange
    text: str


ROUTER_CASES: Sequence[Case] = (
    Case("_no_handshake", _no_handshake, "no handshake with the hub yet"),
    Case("_rejected", _rejected, "WireGuard rejects packets from its address"),
    Case("_silent", _silent, "no handshake with the hub"),
    Case("_not_published", _private, "its endpoint 192.168.1.7:51820 is not published, because it is private: add"),
    Case("_no_report", lambda world: report(world, "cologne"), "has never reported: import its script"),
    Case("_malformed_report", lambda world: report(world, "berlin", seq=7), "sends malformed reports"),
    Case("_no_answer", _no_answer, "does not answer"),
    Case(
        "_rejected_entries",
        lambda world: report(world, "berlin", error="refused 1, last: no peer x"),
        "rejected entries",
    ),
    Case("_other_script", lambda world: report(world, "berlin", script="0.9 ff"), "runs a different version"),
    Case("_failed", lambda world: report(world, "berlin", line("cologne", "failed")), "could not set"),
    Case("_overwritten", _overwritten, "something else on the router overwrites the endpoint of cologne"),
    Case("_alternating", _alternating, "alternates between 203.0.113.1 and 203.0.113.77: if it has two lines"),
    Case("_changing_port", _changing_port, "its port keeps changing at one address"),
)


@pytest.mark.parametrize("case", ROUTER_CASES, ids=lambda case: case.rule)
def test_router_in_trouble_gets_its_diagnosis_with_the_next_step(case: Case) -> None:
    world = make_pair(script=SCRIPT)
    case.arrange(world)
    berlin = world.state.routers["berlin"]
    text = router_trouble(world.state, berlin, world.now)
    assert text.startswith(case.text)
    assert ": " in text, "the text has what is wrong, then what to do"
    by_rule = next(rule for rule in ROUTER_RULES if rule.__name__ == case.rule)
    assert by_rule(world.state, berlin, world.now) == text, "another rule applies"


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"caps": ["ping"]}, ""),
        ({"caps": []}, "its handler may not ping"),
        ({}, "its handler may not ping"),
        ({"caps": [], "stage": "applied"}, ""),  # it has not pinged yet
        ({"caps": [], "script": "0.9 ff"}, ""),  # an older script: the meaning of its capabilities is unknown
    ],
)
def test_router_that_may_not_ping_gets_a_note_and_no_trouble(fields: dict[str, Any], note: str) -> None:
    world = make_pair(script=SCRIPT)
    report(world, "berlin", **fields)
    berlin = make_status(world.state, world.now).routers[0]
    assert berlin.note.startswith(note)
    assert bool(berlin.note) == bool(note)
    assert "ping" not in berlin.trouble


def _other_port(world: World) -> None:
    report(world, "berlin", line("cologne", configured="203.0.113.2 51820", current="203.0.113.2 4711"))
    report(world, "cologne", line("berlin", configured="203.0.113.1 51820"))


def _outdated_endpoint(world: World) -> None:
    there = line("cologne", configured="203.0.113.2 51820", current="203.0.113.2 4711", handshake_s="00:04:00")
    report(world, "berlin", there)
    report(world, "cologne", line("berlin", configured="203.0.113.1 51820"))


def _one_direction(world: World) -> None:
    report(world, "berlin", line("cologne", configured="203.0.113.2 51820"))
    report(world, "cologne", line("berlin", configured="203.0.113.1 51820", handshake_s=""))


def _v4_and_v6(world: World) -> None:
    both_report(world)
    world.poll("cologne", "2001:db8::2")
    world.wait(30)
    both_report(world)


def _disabled(world: World) -> None:
    report(world, "berlin", line("cologne", "disabled", "203.0.113.2 51820", handshake_s=""))
    report(world, "cologne", line("berlin", configured="203.0.113.1 51820", handshake_s=""))


def _second_line(world: World) -> None:
    report(world, "berlin", line("cologne", configured="203.0.113.2 51820", current="203.0.113.99 51820"))
    report(world, "cologne", line("berlin", configured="203.0.113.1 51820"))


LINK_CASES: Sequence[Case] = (
    Case("_no_common_family", _v4_and_v6, "berlin reaches the hub over IPv4 and cologne over IPv6: let both use"),
    Case("_disabled", _disabled, "the peer for cologne is disabled on berlin: enable it there"),
    Case("_other_address", _second_line, "cologne sends to berlin from 203.0.113.99, but to the hub from 203.0.113.2"),
    Case("_end_in_trouble", lambda world: report(world, "cologne"), "see berlin"),
    Case("_other_port", _other_port, "the NAT of cologne uses another port for each destination"),
    Case("_outdated_endpoint", _outdated_endpoint, "berlin sends to 203.0.113.2:4711, where cologne no longer is"),
    Case("_contradiction", _one_direction, "berlin receives packets, but cologne reports that it receives none"),
    Case("_hopeless", both_fail_four_times, "the NATs do not allow a direct path"),
)


@pytest.mark.parametrize("case", LINK_CASES, ids=lambda case: case.rule)
def test_link_in_trouble_gets_its_diagnosis(case: Case) -> None:
    world = make_pair(script=SCRIPT)
    case.arrange(world)
    assert link_trouble(world.state, LINK, world.now).startswith(case.text)


def test_router_without_report_while_no_other_has_reported_may_be_the_hubs_firewall() -> None:
    """A firewall that drops the broker's port from the tunnel looks like routers without a script."""
    world = make_pair(script=SCRIPT)
    for name in NAMES:
        trouble = router_trouble(world.state, world.state.routers[name], world.now)
        assert trouble.startswith("has never reported, nor has any other router: import its script")
        assert "check that the hub's firewall accepts TCP port 1883 from the tunnel" in trouble


@pytest.mark.parametrize(("address", "reason"), [("100.64.1.7", "a provider's NAT"), ("fd00::7", "it is private")])
def test_router_whose_address_may_not_be_published_is_not_asked_to_import_its_script(address: str, reason: str) -> None:
    world = make_pair(script=SCRIPT, addresses=(address, "203.0.113.2"))
    report(world, "cologne")
    trouble = router_trouble(world.state, world.state.routers["berlin"], world.now)
    assert reason in trouble
    assert "also_publish" in trouble
    assert "public_endpoint" in trouble


def test_router_that_moves_between_three_addresses_does_not_alternate() -> None:
    world = make_pair(script=SCRIPT)
    for number in range(9):
        world.poll("berlin", f"203.0.113.{70 + number % 3}")
        world.wait(60)
        both_report(world)
    assert router_trouble(world.state, world.state.routers["berlin"], world.now) == ""


LONGEST_NAME, MOST_BYTES = 32, 250


@pytest.mark.parametrize("case", [*ROUTER_CASES, *LINK_CASES], ids=lambda case: case.rule)
def test_text_of_a_diagnosis_with_the_longest_names_fits_the_limit_of_the_status(case: Case) -> None:
    """The broker's limit for a message is computed with this length (gen-mosquitto)."""
    world = make_pair(script=SCRIPT)
    case.arrange(world)
    is_link = case in LINK_CASES
    berlin = world.state.routers["berlin"]
    text = link_trouble(world.state, LINK, world.now) if is_link else router_trouble(world.state, berlin, world.now)
    assert len(text.replace("berlin", "x" * LONGEST_NAME).replace("cologne", "x" * LONGEST_NAME)) <= MOST_BYTES


def test_two_routers_behind_one_address_get_the_hint_of_a_common_site() -> None:
    world = make_pair(script=SCRIPT, addresses=("203.0.113.1", "203.0.113.1"))
    both_report(world)
    assert link_trouble(world.state, LINK, world.now).startswith("both are behind one public address")


def test_two_routers_of_one_site_that_cannot_reach_each_other_are_diagnosed_after_four_attempts() -> None:
    world = make_pair(script=SCRIPT, addresses=("203.0.113.1", "203.0.113.1"))
    inside = [
        replace(router, site="home", lan=Endpoint("192.168.1.2", 1)) for router in world.state.directory.config.routers
    ]
    world.step(Reconfigured(replace(world.state.directory.config, routers=tuple(inside))))
    world.deliver()
    world.wait(1)
    for pause_s in (6, 16, 46, 0):
        for name, other in (NAMES, NAMES[::-1]):
            report(world, name, line(other, configured="192.168.1.2 1", handshake_s=""))
        if pause_s:
            assert link_trouble(world.state, LINK, world.now) == ""
        world.wait(pause_s)
    text = link_trouble(world.state, LINK, world.now)
    assert text.startswith("both are behind one public address and cannot reach each other inside")


def test_direct_link_through_an_endpoint_dependent_nat_gets_a_note() -> None:
    world = make_pair(script=SCRIPT)
    report(world, "cologne", line("berlin", configured="203.0.113.1 51820"))
    for stage, rx in (("applied", "0"), ("final", "1")):
        there = line("cologne", "kept", "203.0.113.2 51820", "203.0.113.2 4711", rx=rx)
        report(world, "berlin", there, stage=stage)
    link = make_status(world.state, world.now).links[0]
    assert (link.state, link.trouble) == ("direct", "")
    assert link.note.startswith("the NAT of cologne uses another port for each destination")


def test_every_rule_has_a_case() -> None:
    assert {case.rule for case in ROUTER_CASES} == {rule.__name__ for rule in ROUTER_RULES}
    assert {case.rule for case in LINK_CASES} | {"_same_address"} == {rule.__name__ for rule in LINK_RULES}


def test_direct_pair_has_no_trouble() -> None:
    world = make_pair(script=SCRIPT)
    for name, of, rx in (("berlin", "cologne", "1"), ("cologne", "berlin", "1")):
        here = f"203.0.113.{NAMES.index(of) + 1} 51820"
        report(world, name, line(of, "set", here, rx="0"), stage="applied")
        report(world, name, line(of, "set", here, rx=rx))
    status = make_status(world.state, world.now)
    assert [router.trouble for router in status.routers] == ["", ""]
    assert [link.trouble for link in status.links] == [""]
    assert [each.state for each in status.links] == ["direct"]
    assert status.links[0].since_s is not None
    assert all(each.applied_ms is not None for each in status.routers)


def test_status_is_published_soon_after_a_change_and_rarely_otherwise() -> None:
    world = make_pair(script=SCRIPT)
    topic = world.state.directory.topics.hub_status
    world.wait(2)
    world.poll("berlin", "203.0.113.77")
    world.wait(1.1)
    decoded = decode_status(world.retained[topic], topic)
    assert decoded is not None
    assert decoded.routers[0].endpoint == "203.0.113.77:51820"
    both_report(world)
    world.wait(2)
    before = world.retained[topic]
    world.wait(10)
    assert world.retained[topic] == before
    world.wait(60)
    assert world.retained[topic] != before


def test_status_has_every_endpoint_of_wireguard_also_without_a_report() -> None:
    world = make_pair(script=SCRIPT)
    world.step(PeersPolled("wg0", (PeerState(key_of("berlin"), Endpoint("2001:db8::1", 5), 1.0, is_heard=True),)))
    status = make_status(world.state, world.now)
    assert status.routers[0].endpoint == "[2001:db8::1]:5"
    assert status.routers[0].heard_s is None
