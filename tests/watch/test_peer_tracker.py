"""Which endpoints are news: those at which WireGuard heard a peer, in any order of what changes."""

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.world import make_config, make_world
from wgmqtt.engine.events import PeersPolled
from wgmqtt.model import Endpoint
from wgmqtt.watch.peer_tracker import PeerTracker
from wgmqtt.wireguard.dump import Dump
from wgmqtt.wireguard.snapshot import FRESH_S, TIMESPEC, Device, RawPeer, Snapshot

NOW_S = 1_700_000_000.0
HERE, THERE, ELSEWHERE = "203.0.113.1:1001", "203.0.113.2:1002", "203.0.113.3:1003"
DEVICE = Device(None, 51820)
BERLIN, COLOGNE = (router.key.raw for router in make_config(("berlin", "cologne")).routers)


def raw(endpoint: str, rx: int, age_s: float | None = 10.0) -> RawPeer:
    """Return a peer whose handshake is this old; None: it never had one."""
    return RawPeer(endpoint, b"" if age_s is None else TIMESPEC.pack(int(NOW_S - age_s), 0), rx)


def complete(snapshot: Snapshot) -> Dump:
    return Dump(snapshot, complete=True, device=DEVICE)


def test_endpoint_set_on_the_hub_is_expected_for_a_moment_and_confirmed_when_the_peer_is_heard() -> None:
    tracker = PeerTracker("wg0")
    tracker.update(complete({BERLIN: raw(HERE, 100)}), NOW_S)
    changes = tracker.update(complete({BERLIN: raw(THERE, 100)}), NOW_S)
    assert [peer.is_heard for peer in changes.moved] == [False]
    assert tracker.is_expecting
    assert tracker.confirmed(changes.differences).changed == ()
    assert tracker.stop_expecting() == {Endpoint("203.0.113.2", 1002)}
    assert tracker.stop_expecting() == set()
    assert tracker.update(complete({BERLIN: raw(THERE, 100)}), NOW_S).differences.changed == ()
    changes = tracker.update(complete({BERLIN: raw(THERE, 132)}), NOW_S)
    assert [(str(peer.endpoint), peer.is_heard) for peer in changes.differences.changed] == [(THERE, True)]
    assert tracker.confirmed(changes.differences) == changes.differences


def test_silent_peers_of_the_first_dump_begin_no_burst() -> None:
    """Ten thousand stale endpoints are no reason to poll in bursts after each start."""
    tracker = PeerTracker("wg0")
    tracker.update(complete({BERLIN: raw(HERE, 100, FRESH_S + 1), COLOGNE: raw(HERE, 0, None)}), NOW_S)
    assert not tracker.is_expecting
    changes = tracker.update(complete({BERLIN: raw(HERE, 132, FRESH_S + 1), COLOGNE: raw(HERE, 0, None)}), NOW_S)
    assert [peer.is_heard for peer in changes.differences.changed] == [True]


def test_repeated_peers_count_as_heard_where_they_were_heard_before() -> None:
    """A reload: an endpoint that was set on the hub stays unconfirmed, although the session is fresh."""
    tracker = PeerTracker("wg0")
    peers = {BERLIN: raw(HERE, 100), COLOGNE: raw(HERE, 100)}
    tracker.update(complete(peers), NOW_S)
    peers = {BERLIN: raw(THERE, 100), COLOGNE: raw(HERE, 100)}
    tracker.update(complete(peers), NOW_S)
    tracker.repeat()
    changed = tracker.update(complete(peers), NOW_S).differences.changed
    assert {peer.key.raw: peer.is_heard for peer in changed} == {BERLIN: False, COLOGNE: True}
    assert tracker.update(complete(peers), NOW_S).differences.changed == ()


def test_peer_that_is_removed_is_not_expected_any_more() -> None:
    tracker = PeerTracker("wg0")
    tracker.update(complete({BERLIN: raw(HERE, 100), COLOGNE: raw(HERE, 100)}), NOW_S)
    tracker.update(complete({BERLIN: raw(THERE, 100), COLOGNE: raw(HERE, 100)}), NOW_S)
    tracker.update(complete({COLOGNE: raw(HERE, 100)}), NOW_S)
    assert not tracker.is_expecting


POLLS = st.lists(
    st.tuples(st.sampled_from((HERE, THERE, ELSEWHERE)), st.sampled_from((0, 32, 148)), st.booleans(), st.booleans()),
    max_size=30,
)


@given(POLLS, st.sampled_from((None, 10.0, FRESH_S + 1)))
def test_any_order_of_endpoints_and_bytes_announces_what_was_heard_and_nothing_else(
    polls: list[tuple[str, int, bool, bool]], age_s: float | None
) -> None:
    """Through the tracker and the engine. `heard_at` is a model of one poll after the other."""
    tracker, world = PeerTracker("wg0"), make_world(make_config(("berlin", "cologne")))
    world.connect()
    rx, is_first, heard_at, was_heard_at = 1000, True, None, {""}
    for endpoint, received, has_handshake, is_complete in polls:
        rx += received
        age_s = age_s if age_s is not None or not has_handshake else 1.0
        is_heard = age_s is not None and (age_s < FRESH_S if is_first else received > 0)
        heard_at = endpoint if is_heard else heard_at
        was_heard_at.add(heard_at or "")
        snapshot = {BERLIN: raw(endpoint, rx, age_s), COLOGNE: raw("203.0.113.9:9", rx, 1.0)}
        found = tracker.update(Dump(snapshot, is_complete, DEVICE), NOW_S).differences
        world.step(PeersPolled("wg0", found.changed, found.removed))
        is_first = False
        record = world.state.routers["berlin"]
        assert record.peer is not None
        assert str(record.peer.endpoint or "") == (heard_at or "")
        world.wait(30.0)  # longer than the longest pause of flap damping
        assert str(record.released or "") == (heard_at or "")
    published = {
        str(peer.endpoint or "") for name, table in world.published if name == "cologne" for peer in table.peers
    }
    assert published <= was_heard_at


def test_endpoint_with_port_zero_is_never_announced() -> None:
    """The session's owner, or whoever stole it, can send from port 0; nobody could answer there."""
    tracker, world = PeerTracker("wg0"), make_world(make_config(("berlin", "cologne")))
    world.connect()
    for rx, endpoint in ((100, HERE), (132, "203.0.113.1:0"), (164, "203.0.113.1:0"), (196, HERE)):
        found = tracker.update(complete({BERLIN: raw(endpoint, rx)}), NOW_S).differences
        world.step(PeersPolled("wg0", found.changed, found.removed))
        assert str(world.state.routers["berlin"].announced) == HERE
