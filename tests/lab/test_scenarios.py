"""The whole product: sites get direct paths, move, and lose parts of the hub. The proof is their receive counters."""

import time
from collections.abc import Iterator

import pytest

from lab.checks.switch import settle
from lab.network.addresses import HUB_TUNNEL, Family
from lab.testbed.events import PATIENCE_S, wait_until
from lab.testbed.lab import Lab
from lab.testbed.setting import PREFIX, Setting

pytestmark = pytest.mark.lab

NEVER_S = 8.0  # longer than WireGuard waits before it repeats a handshake


@pytest.fixture
def lab(family: Family) -> Iterator[Lab]:
    """Give two sites with a direct path, over IPv4, then IPv6."""
    with Lab(Setting(family=family)) as made:
        yield made.start()


def test_sites_become_direct_without_a_failed_handler(lab: Lab) -> None:
    one, other = lab.network.sites.values()
    assert one.reaches_directly(other, PATIENCE_S)
    assert other.reaches_directly(one, PATIENCE_S)
    assert not [event for event in lab.log.find("", "handler-done") if not event.data["ok"]]


def test_site_that_moves_repeatedly_becomes_direct_each_time(lab: Lab) -> None:
    settle(lab)
    for _ in range(2):
        moved = lab.move("site-a")
        lab.first_packet("site-a", PATIENCE_S, since_ns=moved.t_ns)
        lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)
        settle(lab)
    one, other = lab.network.sites.values()
    assert other.reaches_directly(one, PATIENCE_S)


def test_site_that_moves_with_a_gap_becomes_direct_again(lab: Lab) -> None:
    settle(lab)
    moved = lab.move("site-a", gap_s=3.0)
    lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)


def test_sites_that_move_at_once_become_direct_again(lab: Lab) -> None:
    settle(lab)
    lab.move("site-a")
    moved = lab.move("site-b")
    lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)


def test_without_the_daemon_a_moved_site_has_no_direct_path_and_tunnels_stay() -> None:
    """The control for the other tests: the daemon causes what they see."""
    with Lab() as lab:
        lab.start()
        settle(lab)
        lab.kill_daemon()
        moved = lab.move("site-a")
        lab.first_packet("site-a", PATIENCE_S, since_ns=moved.t_ns)
        assert lab.never_direct("site-a", "site-b", NEVER_S, since_ns=moved.t_ns)
        assert all(site.pings(HUB_TUNNEL, PATIENCE_S) for site in lab.network.sites.values())
        assert all(lab.writes(name, since_ns=moved.t_ns) == [] for name in lab.routers)
        lab.start_daemon()
        lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)


def test_broker_that_crashes_during_a_move_gets_all_tables_again() -> None:
    with Lab() as lab:
        lab.start()
        settle(lab)
        lab.broker.kill()
        moved = lab.move("site-a")
        time.sleep(1.5)
        lab.broker.start()
        lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)


def test_three_sites_become_direct_and_again_after_a_move() -> None:
    with Lab(Setting(sites=3)) as lab:
        lab.start()
        settle(lab)
        moved = lab.move("site-b")
        lab.direct("site-b", "site-a", PATIENCE_S, since_ns=moved.t_ns)
        lab.direct("site-b", "site-c", PATIENCE_S, since_ns=moved.t_ns)


def test_replayed_table_changes_nothing_and_writes_nothing() -> None:
    with Lab() as lab:
        lab.start()
        since_ns = settle(lab)
        topic = f"{PREFIX}/site-b/endpoints"
        payload = str(lab.log.find("viewer", "message", topic=topic)[-1].data["payload"])
        before = lab.network.sites["site-b"].device.dump()
        for _ in range(3):
            lab.routers["site-b"].receives(topic, payload)
        # The hub may publish a table of its own while these handlers send their last packets.
        wait_until(lambda: len(lab.log.find("site-b", "handler-done", since_ns=since_ns)) >= 3, "three handlers end")
        settle(lab)
        assert all(event.data["ok"] for event in lab.log.find("site-b", "handler-done", since_ns=since_ns))
        assert lab.writes("site-b", since_ns=since_ns) == []
        after = lab.network.sites["site-b"].device.dump()
        assert {key: peer.endpoint for key, peer in after.items()} == {
            key: peer.endpoint for key, peer in before.items()
        }
