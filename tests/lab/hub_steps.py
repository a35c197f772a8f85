"""Steps of the lifecycle tests: wait for the hub's status topics, and reload its configuration."""

import json
import signal

from lab.testbed.events import PATIENCE_S
from lab.testbed.standalone_hub import PREFIX, StandaloneHub

ONLINE = f"{PREFIX}/hub/hub1/online"


def now_ns(hub: StandaloneHub) -> int:
    """Return the current time (Unix time, ns)."""
    return hub.log.note("lab", "mark").t_ns


def expect_online(hub: StandaloneHub, since_ns: int, *, online: bool) -> dict[str, object]:
    """Return the next message on the hub's `online` topic with this state."""
    state = f'"online":{"true" if online else "false"}'
    event = hub.log.wait_for(
        lambda event: event.matches("viewer", "message", topic=ONLINE) and state in str(event.data["payload"]),
        PATIENCE_S,
        since_ns=since_ns,
        what=f"the hub publishes {state}",
    )
    found: dict[str, object] = json.loads(str(event.data["payload"]))
    return found


def cleared(hub: StandaloneHub, since_ns: int) -> set[str]:
    """Return the topics that were cleared."""
    return {str(event.data["topic"]) for event in hub.published("", since_ns) if not event.data["payload"]}


def await_cleared(hub: StandaloneHub, router: str, since_ns: int) -> None:
    """Return when all topics of a router were cleared; fail if others were."""
    hub.expect_log("router no longer configured, clearing its topics", since_ns=since_ns, router=router)
    for topic in topics_of(router):
        hub.log.expect("viewer", "message", PATIENCE_S, since_ns=since_ns, topic=topic, payload="")
    assert cleared(hub, since_ns) == topics_of(router)


def topics_of(router: str) -> set[str]:
    return {f"{PREFIX}/{router}/{kind}" for kind in ("endpoints", "report", "online")}


def reload(hub: StandaloneHub) -> int:
    """Write the configuration, send SIGHUP, wait until it is applied; return when (Unix time, ns) this began."""
    hub.write_config()
    since_ns = now_ns(hub)
    hub.daemon.signal(signal.SIGHUP)
    hub.expect_log("configuration reloaded", since_ns=since_ns)
    hub.expect_log("broker ready", since_ns=since_ns)
    return since_ns
