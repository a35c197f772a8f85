"""WireGuard's timers, on which constants of the engine are based: python3 -m tests.vm.timers [CASE...], as root.

For a virtual machine with virtual time (`VM_APPEND=time-travel bash lab/vm/uml.sh`), where an hour takes seconds.
Prints `ok CASE` or `FAILED CASE` and the traceback for each; exit status 1 if one failed.

Source: "WireGuard: Next Generation Kernel Network Tunnel", sections 6.1 to 6.5; wg(8), PersistentKeepalive.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from itertools import pairwise

from lab.network.shell import run
from lab.vm.interfaces import delete, key, make, peer_text, public
from tests.vm.cases import run_cases
from wgmqtt.engine.diagnosis import SILENT_S
from wgmqtt.engine.links import LIVE_S
from wgmqtt.model import PeerState
from wgmqtt.wireguard.kernel import KernelWireguard
from wgmqtt.wireguard.snapshot import peer_state

KEEPALIVE_S = 25
RETRY_S = 5  # Rekey-Timeout; a jitter of up to a third of a second comes on top
GIVES_UP_S = 90  # Rekey-Attempt-Time
HUB, SITE = "10.9.0.1", "10.9.0.2"


def begin(keepalive_s: int = 0) -> None:
    """Create the hub (wg0), the site (wg1) in another namespace, and a cable between them that can be cut."""
    end()
    run("ip", "netns", "add", "site")
    run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", "site")
    run("ip", "address", "add", "192.0.2.1/24", "dev", "wire")
    run("ip", "link", "set", "wire", "up")
    at_site("ip", "address", "add", "192.0.2.2/24", "dev", "wire")
    at_site("ip", "link", "set", "wire", "up")
    make("wg0", 51820, key("hub"), peer_text(public("site"), f"{SITE}/32"))
    run("ip", "address", "add", f"{HUB}/24", "dev", "wg0")
    # Created inside, because a WireGuard interface keeps its socket in the namespace in which it was created.
    peer = peer_text(public("hub"), f"{HUB}/32", "192.0.2.1:51820", keepalive_s)
    at_site("ip", "link", "add", "wg1", "type", "wireguard")
    config = f"[Interface]\nListenPort = 51821\nPrivateKey = {key('site')}\n{peer}"
    run("ip", "netns", "exec", "site", "wg", "setconf", "wg1", "/dev/stdin", text_in=config)
    at_site("ip", "address", "add", f"{SITE}/24", "dev", "wg1")
    at_site("ip", "link", "set", "wg1", "up")


def end() -> None:
    """Remove all of it."""
    delete("wire", "wg0")
    run("sh", "-c", "nft delete table inet cut 2>/dev/null || true")
    run("sh", "-c", "ip netns delete site 2>/dev/null || true")


def at_site(*command: str) -> str:
    """Run a command at the site."""
    return run("ip", "netns", "exec", "site", *command)


def is_answered() -> bool:
    """Send one packet from the site through the tunnel; return whether it was answered within a second."""
    return at_site("sh", "-c", f"ping -n -q -c 1 -W 1 {HUB} >/dev/null 2>&1; echo $?").strip() == "0"


def cut(*, is_cut: bool) -> None:
    """Drop all packets, or stop dropping them."""
    rule = "{ chain c { type filter hook input priority 0; iifname wire drop; }; }"
    run("nft", f"add table inet cut {rule}" if is_cut else "delete table inet cut")


def seen() -> PeerState:
    """Return the site's state in the daemon's dump."""
    dump = asyncio.run(KernelWireguard().dump("wg0"))
    ((raw, peer),) = dump.snapshot.items()
    return peer_state(raw, peer)


def age_s() -> float:
    """Return the age of the hub's last handshake with the site."""
    return time.time() - seen().handshake_s


def keepalive_is_seen_every_25_s() -> None:
    begin(KEEPALIVE_S)
    time.sleep(2)
    heard: list[float] = []
    before = seen().rx
    for _ in range(300):
        time.sleep(1)
        if seen().rx != before:
            before = seen().rx
            heard.append(time.monotonic())
    pauses = [later - earlier for earlier, later in pairwise(heard)]
    assert max(pauses) <= KEEPALIVE_S + 2, pauses
    assert len(heard) >= 300 // KEEPALIVE_S - 1, heard


def session_in_use_is_never_older_than_the_liveness_limit() -> None:
    """A site that only sends keepalives: the handler must never take its session for dead."""
    begin(KEEPALIVE_S)
    time.sleep(2)
    ages, handshakes = [], set()
    for _ in range(1800):
        time.sleep(1)
        ages.append(age_s())
        handshakes.add(seen().handshake_s)
    assert max(ages) < LIVE_S, max(ages)
    assert 10 <= len(handshakes) <= 15, handshakes  # every 120 to 145 s


def session_dies_180_s_after_its_handshake() -> None:
    """A younger session is used as it is; with an older one, a new handshake comes first."""
    for silence_s, is_kept in ((SILENT_S - 70, True), (SILENT_S + 5, False)):
        begin()
        assert is_answered()
        handshake_s = seen().handshake_s
        cut(is_cut=True)
        time.sleep(silence_s)
        cut(is_cut=False)
        time.sleep(0.1)
        run("sh", "-c", f"ping -n -q -c 1 -W 1 {SITE} >/dev/null 2>&1; true")
        assert (seen().handshake_s == handshake_s) is is_kept, silence_s
        assert is_answered()


def unanswered_handshake_is_retried_every_5_s_for_90_s() -> None:
    begin()
    cut(is_cut=True)
    sent = [initiations()]
    at_site("sh", "-c", f"ping -n -q -c 1 -W 1 {HUB} >/dev/null 2>&1; true")
    tried: list[float] = []
    for _ in range(1200):
        time.sleep(0.1)
        sent.append(initiations())
        if sent[-1] != sent[-2]:
            tried.append(time.monotonic())
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert all(RETRY_S - 1 <= pause <= RETRY_S + 1.4 for pause in pauses), pauses  # one poll takes half a second
    assert GIVES_UP_S // RETRY_S <= len(tried) <= GIVES_UP_S // RETRY_S + 2, tried  # the first, 18 more, one to give up
    assert GIVES_UP_S <= tried[-1] - tried[0] <= GIVES_UP_S + 25, tried  # jitter, and half a second for each poll


def initiations() -> int:
    """Return how many handshakes the site has started, from the 148 bytes of each."""
    return int(at_site("wg", "show", "wg1", "transfer").split()[2]) // 148


def new_endpoint_does_not_hurry_a_handshake_that_waits() -> None:
    """After an attempt at a wrong endpoint, the right one is used only when the 5 s are over."""
    begin()
    at_site("wg", "set", "wg1", "peer", public("hub"), "endpoint", "192.0.2.77:1", "persistent-keepalive", "25")
    time.sleep(0.5)
    at_site("wg", "set", "wg1", "peer", public("hub"), "endpoint", "192.0.2.1:51820")
    began_s = time.monotonic()
    while not seen().handshake_s:
        time.sleep(0.1)
    assert 2 <= time.monotonic() - began_s <= RETRY_S + 1


def clock_that_went_back_locks_a_site_out_until_it_is_right() -> None:
    """The hub rejects handshakes older than the last one (TAI64N, section 5.1), as after a reboot without NTP."""
    begin()
    assert is_answered()
    before = seen()
    at_site("ip", "link", "set", "wg1", "down")  # it loses its session
    time.sleep(SILENT_S * 2)  # and the hub no longer sends to it
    now_s = time.time()
    time.clock_settime(time.CLOCK_REALTIME, now_s - 3600)
    at_site("ip", "link", "set", "wg1", "up")
    assert not any(is_answered() for _ in range(20))
    assert seen().handshake_s == before.handshake_s
    time.clock_settime(time.CLOCK_REALTIME, now_s + 60)
    time.sleep(RETRY_S)
    assert any(is_answered() for _ in range(10))
    assert seen().handshake_s > before.handshake_s


CASES: dict[str, Callable[[], None]] = {
    case.__name__: case
    for case in (
        keepalive_is_seen_every_25_s,
        session_in_use_is_never_older_than_the_liveness_limit,
        session_dies_180_s_after_its_handshake,
        unanswered_handshake_is_retried_every_5_s_for_90_s,
        new_endpoint_does_not_hurry_a_handshake_that_waits,
        clock_that_went_back_locks_a_site_out_until_it_is_right,
    )
}


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1:], end))
