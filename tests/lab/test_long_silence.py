"""A move after three minutes of silence, which no session survives. Its own file, so that others run beside it."""

import time

import pytest

from lab.testbed.events import PATIENCE_S
from lab.testbed.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.long]

SILENCE_S = 185  # a session dies 180 s after its handshake: WireGuard's paper, section 6.1, Reject-After-Time


def test_site_that_moves_after_three_minutes_of_silence_becomes_direct_again() -> None:
    """The session has expired: both ends start a handshake, and crossing handshakes cancel each other (`after_ms`)."""
    with Lab() as lab:
        lab.start()
        one, other = lab.network.sites.values()
        # Keepalives would keep the session alive, so they are stopped, too.
        lab.network.cut(one)
        time.sleep(SILENCE_S)
        lab.network.restore(one)
        moved = lab.move("site-a")
        lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)
        assert other.reaches_directly(one, PATIENCE_S)
