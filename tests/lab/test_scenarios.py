"""The product at work: sites that meet, move, and lose parts of the hub. Proof is the sites' own rx."""

import time
from collections.abc import Iterator

import pytest

from lab.network.addresses import HUB_TUNNEL, Family
from lab.testbed.lab import Lab
from lab.testbed.setting import PREFIX, Setting

pytestmark = pytest.mark.lab

# A first handshake without an endpoint has started WireGuard's timer of 5 s (+ up to 333 ms), which nothing resets.
SWITCH_S = 8.0
SETTLED_S = 2.0


@pytest.fixture
def lab(family: Family) -> Iterator[Lab]:
    """Give two sites that have met, over IPv4 and IPv6."""
    with Lab(Setting(family=family)) as made:
        yield made.start()


def settle(lab: Lab, for_s: float = SETTLED_S) -> int:
    """Let pending work end; return the time (Unix, ns)."""
    time.sleep(for_s)
    return lab.log.note("lab", "settled").t_ns


def test_sites_meet_and_nothing_was_refused_on_the_way(lab: Lab) -> None:
    one, other = lab.network.sites.values()
    assert one.reaches_directly(other)
    assert other.reaches_directly(one)
    assert not [event for event in lab.log.find("", "handler-done") if not event.data["ok"]]


def test_moved_site_is_reached_directly_again_and_again(lab: Lab) -> None:
    settle(lab)
    for _ in range(2):
        moved = lab.move("site-a")
        lab.hub_hears("site-a", 2.0, since_ns=moved.t_ns)
        lab.direct("site-a", "site-b", SWITCH_S, since_ns=moved.t_ns)
        settle(lab)
    one, other = lab.network.sites.values()
    assert other.reaches_directly(one)


def test_site_that_moves_with_a_gap_is_reached_again(lab: Lab) -> None:
    settle(lab)
    moved = lab.move("site-a", gap_s=3.0)
    lab.direct("site-a", "site-b", 2 * SWITCH_S, since_ns=moved.t_ns)


def test_both_moved_at_once_meet_again(lab: Lab) -> None:
    settle(lab)
    lab.move("site-a")
    moved = lab.move("site-b")
    lab.direct("site-a", "site-b", 2 * SWITCH_S, since_ns=moved.t_ns)


def test_without_the_daemon_a_moved_site_stays_out_of_reach_and_every_tunnel_stays() -> None:
    """The control: what the other tests see is the daemon's work."""
    with Lab() as lab:
        lab.start()
        settle(lab)
        lab.kill_daemon()
        moved = lab.move("site-a")
        lab.hub_hears("site-a", 2.0, since_ns=moved.t_ns)
        assert lab.never_direct("site-a", "site-b", SWITCH_S, since_ns=moved.t_ns)
        assert all(site.pings(HUB_TUNNEL) for site in lab.network.sites.values())
        assert all(lab.writes(name, since_ns=moved.t_ns) == [] for name in lab.routers)
        lab.start_daemon()
        lab.direct("site-a", "site-b", 2 * SWITCH_S, since_ns=moved.t_ns)


def test_broker_that_crashes_during_a_move_gets_the_tables_again() -> None:
    with Lab() as lab:
        lab.start()
        settle(lab)
        lab.broker.kill()
        moved = lab.move("site-a")
        time.sleep(1.5)
        lab.broker.start()
        lab.direct("site-a", "site-b", 30.0, since_ns=moved.t_ns)


def test_three_sites_mesh_and_mesh_again_after_a_move() -> None:
    with Lab(Setting(sites=3)) as lab:
        lab.start()
        settle(lab)
        moved = lab.move("site-b")
        lab.direct("site-b", "site-a", SWITCH_S, since_ns=moved.t_ns)
        lab.direct("site-b", "site-c", SWITCH_S, since_ns=moved.t_ns)


def test_replayed_table_changes_nothing_and_writes_nothing() -> None:
    with Lab() as lab:
        lab.start()
        since_ns = settle(lab, 4.0)
        topic = f"{PREFIX}/site-b/endpoints"
        payload = str(lab.log.find("viewer", "message", topic=topic)[-1].data["payload"])
        before = lab.network.sites["site-b"].device.dump()
        for _ in range(3):
            lab.routers["site-b"].receives(topic, payload)
        settle(lab, 4.0)
        assert [event.data["ok"] for event in lab.log.find("site-b", "handler-done", since_ns=since_ns)] == [True] * 3
        assert lab.writes("site-b", since_ns=since_ns) == []
        after = lab.network.sites["site-b"].device.dump()
        assert {key: peer.endpoint for key, peer in after.items()} == {
            key: peer.endpoint for key, peer in before.items()
        }
