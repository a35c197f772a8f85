"""Properties of every text, every state and every table, with 2,000 cases each."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.checks.mutation import Mutation, handler
from lab.fuzz.handler_rig import Rig, hub_peer, peer, script_for
from lab.fuzz.harm import HarmError, judge, kept_by
from lab.fuzz.hostile_tables import hostile_table, numbers_of, valid_body
from lab.fuzz.runner import OTHERS, PEERS, rig_of
from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.interpreter import run
from lab.routeros.models.router import USUAL, ModelRouter
from tests.emulator.language.world import BareWorld
from wgmqtt.script.render import quote, quote_lines

CASES = 2_000
MANY = settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
QUOTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("\t\r\n"), max_size=60)
LINE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


def read_by_emulator(literal: str) -> str:
    world = BareWorld()
    run(f":put {literal}", world)
    (line,) = world.lines
    return line


@MANY
@given(QUOTABLE)
def test_text_that_quote_accepts_comes_back_the_same(text: str) -> None:
    assert read_by_emulator(quote(text)) == text


@MANY
@given(st.lists(LINE, min_size=1, max_size=5))
def test_lines_that_quote_lines_takes_come_back_the_same(lines: list[str]) -> None:
    text = "\n".join(lines).rstrip("\n")
    assert read_by_emulator(quote_lines(text, "    ")) == text


# A script twice equals once, whatever the router looked like before

SCRIPT = script_for(2, (7, 20))
BEFORE = (
    "/iot/mqtt/brokers/add name=other address=192.0.2.77",
    "/iot/mqtt/subscriptions/add broker=other topic=a/b",
    "/iot/mqtt/brokers/add name=wgmqtt address=192.0.2.78 port=9 username=old password=old keep-alive=60",
    "/iot/mqtt/brokers/set [/iot/mqtt/brokers/find where name=wgmqtt] auto-connect=yes",
    '/iot/mqtt/subscriptions/add broker=wgmqtt topic=wgmqtt/v1/berlin/endpoints on-message=":put old"',
    "/iot/mqtt/subscriptions/add broker=wgmqtt topic=old/topic",
    "/iot/mqtt/connect broker=wgmqtt",
    "/interface/wireguard/peers/set [/interface/wireguard/peers/find] persistent-keepalive=0",
    "/interface/wireguard/peers/set [/interface/wireguard/peers/find] endpoint-port=9",
    "/interface/wireguard/peers/remove [/interface/wireguard/peers/find]",
)


@MANY
@given(st.sets(st.sampled_from(range(len(BEFORE))), max_size=4), st.booleans(), st.sampled_from(["7.20.8", "7.24"]))
def test_script_twice_equals_once(before: set[int], broker_is_up: bool, version: str) -> None:  # noqa: FBT001 - drawn
    router = ModelRouter(version, [hub_peer(), peer(1), peer(2)])
    router.broker.is_up = broker_is_up
    for number in sorted(before):
        router.install(f":do {{ {BEFORE[number]} }} on-error={{}}")
    peers = {place: item for place, item in kept_by(router).items.items() if "peers" in place}
    router.install(SCRIPT)
    once = kept_by(router)
    assert {place: item for place, item in once.items.items() if "peers" in place} == peers
    router.install(SCRIPT)
    assert kept_by(router) == once


# No table does harm


@MANY
@given(st.integers(0, 2**40))
def test_no_table_changes_another_peer_or_runs_its_text_or_leaves_half_an_entry(seed: int) -> None:
    """lab/fuzz/harm.py lists what is checked; lab/fuzz.sh runs for as long as wanted."""
    random = numbers_of(seed)
    rig = rig_of(USUAL, "7.20.8")
    rig.put_back()
    payload = hostile_table(random)
    before = kept_by(rig)
    judge(rig, before, payload, rig.get(payload))


@MANY
@given(st.integers(0, 2**40))
def test_table_twice_equals_once(seed: int) -> None:
    """A valid table writes nothing when it arrives a second time."""
    rig = rig_of(USUAL, "7.20.8")
    rig.put_back()
    body = valid_body(numbers_of(seed))
    payload = json.dumps({**body, "peers": body["peers"][:1]}).encode()
    rig.get(payload)
    once = kept_by(rig)
    assert rig.get(payload).sets == []
    assert kept_by(rig) == once


# The judge notices defects

EVIL: dict[str, Mutation] = {
    mutation.name: mutation
    for mutation in (
        handler("hub's key not checked", "", ":if ($key = $hubKey) do={", ":if (false) do={"),
        handler("interface not checked", "", "interface=$meshInterface public-key=$key]", "public-key=$key]"),
        handler("port not checked", "", ":if ($port < 1 or $port > 65535) do={", ":if ($port > 65535) do={"),
        handler("port forgotten", "", " endpoint-port=$2", ""),
        handler(
            "address and port apart",
            "",
            " endpoint-port=$2",
            '\n    /interface/wireguard/peers/set ($1->"id") endpoint-port=$2',
        ),
        handler("another property set", "", "endpoint-port=$2", "endpoint-port=$2 persistent-keepalive=1"),
        handler("another peer set", "", "id=($found->0)", "id=([/interface/wireguard/peers/find]->1)"),
        handler(
            "name run as a script",
            "",
            ':local port ($entry->"port")',
            ':local code [:parse [:tostr ($entry->"name")]]\n      $code\n      :local port ($entry->"port")',
        ),
        handler("topic from the table", "", "topic=$reportTopic message", "topic=$seq message"),
        handler("report not JSON", "", ',\\"peers\\":[', ",peers:["),
        handler("special address set", "", "$first < 224 and ", ""),
        handler(
            "ping elsewhere", "", ':set ($peer->"ping") ""', ':set ($peer->"ping") [:toip [:tostr ($entry->"ping")]]'
        ),
        handler(
            "an error uncaught", "", '{ :log warning ("wgmqtt: entries', '{ :error "x"; :log warning ("wgmqtt: entries'
        ),
        handler(
            "a line of the log for each entry",
            "",
            ":set rejected ($rejected + 1)",
            ":set rejected ($rejected + 1)\n    :log warning $problem",
        ),
    )
}


def first_harm(rig: Rig) -> str:
    """Return the first harm done by one of 3,000 tables; empty if there was none."""
    for seed in range(3_000):
        rig.put_back()
        payload = hostile_table(numbers_of(seed))
        try:
            judge(rig, kept_by(rig), payload, rig.get(payload))
        except (HarmError, NotImplementedInEmulator) as error:
            return str(error)
    return ""


@pytest.mark.parametrize("name", EVIL)
def test_script_that_does_harm_is_caught(name: str) -> None:
    assert first_harm(Rig(*PEERS, others=OTHERS, edit_script=EVIL[name].apply))
