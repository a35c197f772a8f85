"""The known endpoints: those of peers with a live session, given to the table as changes."""

from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.model import Endpoint, PeerState, PublicKey
from wgmqtt.watch.known_endpoints import KnownEndpoints
from wgmqtt.watch.ruleset import Change
from wgmqtt.wireguard.snapshot import FRESH_S, Differences

NOW_S = 1_700_000_000.0
HERE, THERE, SIX = Endpoint("203.0.113.1", 13231), Endpoint("203.0.113.2", 4242), Endpoint("2001:db8::1", 13231)


def key(number: int) -> PublicKey:
    return PublicKey(bytes([number]) * 32)


def peer(number: int, endpoint: Endpoint | None, handshake_s: float = NOW_S) -> PeerState:
    return PeerState(key(number), endpoint, handshake_s)


def seen(*peers: PeerState) -> Differences:
    return Differences(peers, ())


def test_first_dump_adds_the_port_and_endpoints_with_a_live_session() -> None:
    known = KnownEndpoints()
    stale, unknown = peer(3, THERE, NOW_S - FRESH_S), peer(4, None)
    known.update("wg0", 51820, seen(peer(1, HERE), peer(2, SIX), stale, unknown), NOW_S)
    elements = ("51820 . 2001:db8::1 . 13231", "51820 . 203.0.113.1 . 13231")
    assert known.drain() == Change(ports_added=(51820,), added=elements)
    assert not known.drain()


def test_endpoint_is_held_before_the_table_is_updated() -> None:
    known = KnownEndpoints()
    known.update("wg0", 51820, seen(peer(1, HERE)), NOW_S)
    assert known.holds(51820, HERE)
    assert not known.holds(51821, HERE)
    known.update("wg0", 51820, seen(peer(1, THERE)), NOW_S)
    assert (known.holds(51820, HERE), known.holds(51820, THERE)) == (False, True)


def test_move_changes_only_that_endpoint() -> None:
    known = KnownEndpoints()
    known.update("wg0", 51820, seen(peer(1, HERE), peer(2, SIX)), NOW_S)
    known.drain()
    known.update("wg0", 51820, seen(peer(1, THERE)), NOW_S)
    assert known.drain() == Change(added=("51820 . 203.0.113.2 . 4242",), removed=("51820 . 203.0.113.1 . 13231",))
    known.update("wg0", 51820, seen(peer(1, THERE, NOW_S + 120)), NOW_S + 120)
    assert not known.drain(), "a new handshake alone changes nothing"


def test_endpoint_of_two_peers_is_kept_until_both_have_left() -> None:
    known = KnownEndpoints()
    known.update("wg0", 51820, seen(peer(1, HERE), peer(2, HERE)), NOW_S)
    known.drain()
    known.update("wg0", 51820, seen(peer(1, THERE)), NOW_S)
    assert known.drain().removed == ()
    known.update("wg0", 51820, Differences((), (key(2),)), NOW_S)
    assert known.drain().removed == ("51820 . 203.0.113.1 . 13231",)


def test_endpoint_expires_with_its_session_and_a_handshake_brings_it_back() -> None:
    known = KnownEndpoints()
    known.update("wg0", 51820, seen(peer(1, HERE)), NOW_S)
    known.drain()
    known.expire(NOW_S + FRESH_S - 1)
    assert not known.drain()
    known.expire(NOW_S + FRESH_S)
    assert known.drain() == Change(removed=("51820 . 203.0.113.1 . 13231",))
    known.update("wg0", 51820, seen(peer(1, HERE, NOW_S + 200)), NOW_S + 200)
    assert known.drain() == Change(added=("51820 . 203.0.113.1 . 13231",))


def test_interface_that_listens_on_another_port_starts_over() -> None:
    known = KnownEndpoints()
    known.update("wg0", 51820, seen(peer(1, HERE)), NOW_S)
    known.update("wg1", 51821, seen(peer(2, HERE)), NOW_S)
    known.drain()
    known.update("wg0", 40000, seen(peer(1, HERE)), NOW_S)
    old, new = "51820 . 203.0.113.1 . 13231", "40000 . 203.0.113.1 . 13231"
    assert known.drain() == Change((40000,), (51820,), (new,), (old,))
    assert (known.interfaces(40000), known.interfaces(51821), known.interfaces(51820)) == (["wg0"], ["wg1"], [])


def test_forgotten_interface_takes_its_port_and_endpoints_out_of_the_table() -> None:
    known = KnownEndpoints()
    known.update("wg0", 51820, seen(peer(1, HERE)), NOW_S)
    known.drain()
    known.forget("wg0")
    assert known.drain() == Change(ports_removed=(51820,), removed=("51820 . 203.0.113.1 . 13231",))


def test_start_over_adds_everything_again() -> None:
    known = KnownEndpoints()
    known.update("wg0", 51820, seen(peer(1, HERE)), NOW_S)
    first = known.drain()
    known.start_over()
    assert known.drain() == first


NAMES = st.sampled_from(["wg0", "wg1"])
ENDPOINTS = st.sampled_from([HERE, THERE, SIX, None])
AGES = st.sampled_from([0.0, 100.0, 179.0, 181.0])
UPDATES = st.tuples(NAMES, st.integers(1, 3), st.sampled_from([1, 2]), ENDPOINTS, AGES)
STEPS = st.lists(st.one_of(UPDATES, NAMES, st.none(), st.just("start over")), max_size=40)


@given(STEPS)
def test_table_holds_the_known_endpoints_after_any_history(
    steps: list[tuple[str, int, int, Endpoint | None, float] | str | None],
) -> None:
    """A model of the table applies each change as nftables does, which rejects deleting what is not there."""
    known, table, ports = KnownEndpoints(), set[str](), set[int]()
    expected: dict[tuple[str, int], str] = {}
    listening: dict[str, int] = {}
    for step in steps:
        match step:
            case (name, port, number, endpoint, age_s):
                known.update(name, port, seen(peer(number, endpoint, NOW_S - age_s)), NOW_S)
                if listening.get(name) != port:
                    expected = {place: text for place, text in expected.items() if place[0] != name}
                listening[name] = port
                expected.pop((name, number), None)
                if endpoint and age_s < FRESH_S:
                    expected[name, number] = f"{port} . {endpoint.address} . {endpoint.port}"
            case "start over":
                known.start_over()
                table, ports = set(), set()
            case str():
                known.forget(step)
                listening.pop(step, None)
                expected = {place: text for place, text in expected.items() if place[0] != step}
            case None:
                apply(known.drain(), table, ports)
                assert (table, ports) == (set(expected.values()), set(listening.values()))


def apply(change: Change, table: set[str], ports: set[int]) -> None:
    """Change the model; like nftables, reject deleting what is not there."""
    assert set(change.removed) <= table
    assert set(change.ports_removed) <= ports
    table.difference_update(change.removed)
    table.update(change.added)
    ports.difference_update(change.ports_removed)
    ports.update(change.ports_added)
