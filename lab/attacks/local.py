"""What a person or a script on the hub can do by mistake."""

import signal
import time

from lab.attacks.attack import Attack, Verdict
from lab.testbed.events import wait_until
from lab.testbed.standalone_hub import StandaloneHub

ATTACKER = "a script on the hub"
ROUTERS, SIGNALS, SPAN_S = 2_000, 100, 1.0
PUBLISHED_MS = 3_000.0


def signal_often(slack: float) -> Verdict:
    """Send SIGHUP a hundred times in a second to a hub with 2,000 routers, and move one of them."""
    names = [f"r{number:04}" for number in range(ROUTERS)]
    with StandaloneHub() as hub:
        hub.start_broker()  # with accounts for three routers: two thousand take seconds
        for name in names:
            hub.add_router(name)
        hub.settings["links"] = [list(pair) for pair in zip(names[::2], names[1::2], strict=True)]
        hub.write_config()
        hub.add_interface()
        hub.set_endpoints(*((name, f"203.0.113.{n % 250 + 1}:{n // 250 + 10_000}") for n, name in enumerate(names)))
        hub.daemon.start()
        hub.expect_table("r0001", "r0000", "203.0.113.1:10000", 300.0)
        for _ in range(SIGNALS):
            hub.daemon.signal(signal.SIGHUP)
            time.sleep(SPAN_S / SIGNALS)
        since_ns = hub.set_endpoints(("r0000", "203.0.113.251:7"))
        table = hub.expect_table("r0001", "r0000", "203.0.113.251:7", 300.0, since_ns=since_ns)
        ms = (table.t_ns - since_ns) / 1e6
        hub.expect_log("configuration reloaded", 300.0)
        wait_until(lambda: is_quiet(hub), "the reloads end", 300.0)
        reloads = len(hub.log.find("hub", "configuration reloaded"))
        last_ns = hub.set_endpoints(("r0002", "203.0.113.252:7"))
        table = hub.expect_table("r0003", "r0002", "203.0.113.252:7", 300.0, since_ns=last_ns)
        ms = max(ms, (table.t_ns - last_ns) / 1e6)
    return Verdict(
        ms < PUBLISHED_MS * slack, f"{ROUTERS} routers: {reloads} reloads; a move is published after {ms:.0f} ms"
    )


def is_quiet(hub: StandaloneHub) -> bool:
    """Wait two seconds; return whether nothing was reloaded meanwhile."""
    since_ns = hub.log.note("lab", "mark").t_ns
    return not hub.log.collect(2.0, "hub", "configuration reloaded", since_ns=since_ns)


ATTACKS = (Attack("signals", ATTACKER, f"{SIGNALS} SIGHUPs in {SPAN_S:.0f} s", signal_often),)
