"""The cron baseline of the benchmarks works, and is as slow as its rule says. The timers are short here."""

import pytest

from lab.bench.cron_baseline import STAYS, CronBaseline, Timers

pytestmark = pytest.mark.lab

TIMERS = Timers(write_s=0.5, poll_s=0.5, stale_s=8.0, rekey_s=1.0)


def test_baseline_follows_a_moved_site_only_after_the_handshake_is_stale() -> None:
    with CronBaseline(TIMERS) as baseline:
        baseline.meet()
        peer = baseline.network.sites[STAYS].peer(baseline.network.sites["site-a"])
        ms = baseline.move()
        writes = [event for event in baseline.log.find(STAYS, "set") if event.t_ns > peer.handshake_s * 1_000_000_000]
        assert writes
        assert writes[0].t_ns - peer.handshake_s * 1_000_000_000 > TIMERS.stale_s * 1_000_000_000
        assert 0 < ms < 120_000
