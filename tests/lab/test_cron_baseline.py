"""The baseline that our figures stand beside really works, and is as slow as its rule says. Short timers here."""

import pytest

from lab.bench.cron_baseline import STAYS, Seed, Timers

pytestmark = pytest.mark.lab

TIMERS = Timers(write_s=0.5, poll_s=0.5, stale_s=8.0, rekey_s=1.0)


def test_seed_follows_a_moved_site_and_not_before_the_handshake_is_stale() -> None:
    with Seed(TIMERS) as seed:
        seed.meet()
        peer = seed.network.sites[STAYS].peer(seed.network.sites["site-a"])
        ms = seed.move()
        writes = [event for event in seed.log.find(STAYS, "set") if event.t_ns > peer.handshake_s * 1_000_000_000]
        assert writes
        assert writes[0].t_ns - peer.handshake_s * 1_000_000_000 > TIMERS.stale_s * 1_000_000_000
        assert 0 < ms < 20_000
