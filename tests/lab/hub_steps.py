"""What a hub under test says, and how to make it read its configuration again."""

import json
import signal

from lab.testbed.standalone_hub import PATIENCE_S, PREFIX, StandaloneHub

ONLINE = f"{PREFIX}/hub/hub1/online"


def mark(hub: StandaloneHub) -> int:
    """Return now (Unix time, ns)."""
    return hub.log.note("lab", "mark").t_ns


def word(hub: StandaloneHub, since_ns: int, *, online: bool) -> dict[str, object]:
    """Return the next word of the hub that says so."""
    says = f'"online":{"true" if online else "false"}'
    event = hub.log.wait_for(
        lambda event: event.matches("viewer", "message", topic=ONLINE) and says in str(event.data["payload"]),
        PATIENCE_S,
        since_ns=since_ns,
        what=f"the hub says {says}",
    )
    found: dict[str, object] = json.loads(str(event.data["payload"]))
    return found


def emptied(hub: StandaloneHub, since_ns: int) -> set[str]:
    """Return the topics that were emptied."""
    return {str(event.data["topic"]) for event in hub.published("", since_ns) if not event.data["payload"]}


def await_emptied(hub: StandaloneHub, router: str, since_ns: int) -> None:
    """Return when a router's topics were emptied, and no other one was."""
    hub.said("router no longer configured, clearing its topics", since_ns=since_ns, router=router)
    for topic in topics_of(router):
        hub.log.expect("viewer", "message", PATIENCE_S, since_ns=since_ns, topic=topic, payload="")
    assert emptied(hub, since_ns) == topics_of(router)


def topics_of(router: str) -> set[str]:
    return {f"{PREFIX}/{router}/{kind}" for kind in ("endpoints", "report", "online")}


def reload(hub: StandaloneHub) -> int:
    """Write the configuration, and let the daemon read it; returns when (Unix time, ns) it had begun."""
    hub.write_config()
    begun_ns = mark(hub)
    hub.daemon.signal(signal.SIGHUP)
    hub.said("configuration reloaded", since_ns=begun_ns)
    hub.said("broker ready", since_ns=begun_ns)
    return begun_ns
