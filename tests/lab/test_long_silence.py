"""A move after three minutes of silence, which no session survives. A file of its own: others run beside it."""

import time

import pytest

from lab.testbed.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.long]

SILENCE_S = 185  # a session dies 180 s after its handshake: WireGuard's paper, section 6.1, Reject-After-Time
REACHED_S = 24.0


def test_site_that_moves_after_three_minutes_of_silence_is_reached_again() -> None:
    """The session has died: both ends begin anew, and crossing handshakes would cancel each other (`after_ms`)."""
    with Lab() as lab:
        lab.start()
        one, other = lab.network.sites.values()
        # Keepalives would keep the session alive; no path, no keepalive.
        lab.network.cut(one)
        time.sleep(SILENCE_S)
        lab.network.restore(one)
        moved = lab.move("site-a")
        lab.direct("site-a", "site-b", REACHED_S, since_ns=moved.t_ns)
        assert other.reaches_directly(one)
