"""What somebody can do with the hub's password at the broker, and what remains when it was changed."""

import json
import time
from functools import partial

from lab.attacks.attack import Attack, Verdict
from lab.network.netns import python_module
from lab.network.shell import LabError
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S, Event, wait_until
from lab.testbed.standalone_hub import PREFIX, StandaloneHub

ATTACKER = "the hub's credential"
HEALED_S = 10.0
MOST_DIGITS = 19  # the handler compares no longer ones
FORGERIES = 5
PLACES = (("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"), ("dresden", "203.0.113.3:1003"))
TOPIC = f"{PREFIX}/berlin/endpoints"


def forge(hub: StandaloneHub, source: str = "thief") -> Child:
    """Connect with the hub's credential."""
    command = python_module("lab.probes.mqtt_user", "--host", "127.0.0.1", "--user", "hub")
    thief = Child(source, hub.namespace, command, hub.log, read_json_line)
    thief.send({"password": hub.secret("hub").read_text().strip()})
    hub.log.expect(source, "connected", PATIENCE_S)
    return thief


def publish(hub: StandaloneHub, thief: Child, topic: str, payload: str) -> int:
    """Publish a retained message and wait for its acknowledgement; return when (Unix time, ns) it was sent."""
    since_ns = hub.log.note("lab", "forge", topic=topic).t_ns
    thief.send({"topic": topic, "payload": payload, "retain": True})
    hub.log.expect("thief", "published", PATIENCE_S, since_ns=since_ns, topic=topic)
    return since_ns


def start(hub: StandaloneHub) -> None:
    """Start the hub, and wait until all tables are complete."""
    hub.start()
    hub.set_endpoints(*PLACES)
    for name, _ in PLACES:
        others = {other: place for other, place in PLACES if other != name}
        wait_until(partial(has_table, hub, name, others), f"the whole table for {name}")


def has_table(hub: StandaloneHub, name: str, others: dict[str, str]) -> bool:
    """Return whether the newest table for a router has these endpoints."""
    return hub.endpoints_for(name) == others


def forge_seq(slack: float) -> Verdict:  # noqa: ARG001 - nothing here depends on time
    """Leave a table with the largest seq behind, and see what the next daemon publishes."""
    with StandaloneHub() as hub:
        start(hub)
        thief = forge(hub)
        table = json.loads(str(hub.log.find("viewer", "message", topic=TOPIC)[-1].data["payload"]))
        hub.daemon.stop()
        publish(hub, thief, TOPIC, json.dumps(table | {"seq": "9" * 20}))
        thief.stop()
        since_ns = hub.log.note("lab", "restart").t_ns
        hub.daemon.start()
        hub.expect_log("broker ready", since_ns=since_ns)
        since_ns = hub.set_endpoints(("cologne", "203.0.113.44:1044"))
        message = hub.expect_table("berlin", "cologne", "203.0.113.44:1044", since_ns=since_ns)
        seq = json.loads(str(message.data["payload"]))["seq"]
    return Verdict(len(seq) <= MOST_DIGITS, f"the next table has a seq of {len(seq)} digits: {seq}")


def forge_retained(slack: float) -> Verdict:
    """Empty and replace a retained table and the hub's online topic, and wait until they are right again."""
    online = f"{PREFIX}/hub/hub1/online"
    with StandaloneHub() as hub:
        start(hub)
        thief = forge(hub)
        forged = json.loads(str(hub.log.find("viewer", "message", topic=TOPIC)[-1].data["payload"]))
        forged["peers"] = []
        healed = []
        since_ns = hub.log.note("lab", "forging").t_ns
        for topic, payload in ((TOPIC, ""), (TOPIC, json.dumps(forged)), (online, ""), (online, '{"online":false}')):
            forged_ns = publish(hub, thief, topic, payload)
            healed.append(healed_s(hub, topic, payload, forged_ns, HEALED_S * slack))
        for number in range(FORGERIES):
            publish(hub, thief, TOPIC, f"forged {number}")
        time.sleep(3.0)
        seconds = (hub.log.note("lab", "mark").t_ns - since_ns) / 1e9
        own = [e for e in hub.published(since_ns=since_ns) if str(e.data["payload"]).startswith('{"v":1')]
    shown = ", ".join("not" if each is None else f"{each:.1f}" for each in healed)
    rate = len(own) / seconds
    text = f"table emptied, forged, online emptied, forged: healed after {shown} s; {rate:.1f} tables a second"
    return Verdict(None not in healed and rate < 5.0, text)


def healed_s(hub: StandaloneHub, topic: str, payload: str, since_ns: int, timeout_s: float) -> float | None:
    """Return after how many seconds a valid message came on this topic, None if none came."""

    def heals(event: Event) -> bool:
        return event.matches("viewer", "message", topic=topic) and event.data["payload"] not in {payload, ""}

    try:
        event = hub.log.wait_for(heals, timeout_s, since_ns=since_ns)
    except LabError:
        return None
    return (event.t_ns - since_ns) / 1e9


ATTACKS = (
    Attack("forged-seq", ATTACKER, "one retained table", forge_seq),
    Attack("forged-retained", ATTACKER, f"4 retained messages, then {FORGERIES} at once", forge_retained),
)
