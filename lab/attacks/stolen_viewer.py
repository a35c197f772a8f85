"""What somebody can do with the viewer's password."""

import json

from lab.attacks.attack import Attack, Verdict
from lab.network.netns import python_module
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S
from lab.testbed.standalone_hub import PREFIX, StandaloneHub

ATTACKER = "one stolen viewer"
KINDS = ("endpoints", "report", "online")


def write_everywhere(slack: float) -> Verdict:  # noqa: ARG001 - nothing here depends on time
    """Publish to every topic of the hub and its routers, and to the viewer's own."""
    with StandaloneHub() as hub:
        hub.start()
        topics = [f"{PREFIX}/{name}/{kind}" for name in ("berlin", "viewer", "canary", "new") for kind in KINDS]
        topics += [f"{PREFIX}/hub/hub1/{kind}" for kind in ("online", "status", "events", "who", "fence")]
        command = python_module("lab.probes.mqtt_user", "--host", "127.0.0.1", "--user", "hub", f"--topic={PREFIX}/#")
        witness = Child("witness", hub.namespace, command, hub.log, read_json_line)
        witness.send({"password": hub.secret("hub").read_text().strip()})
        hub.log.expect("witness", "subscribed", PATIENCE_S)
        thief = Child(
            "thief",
            hub.namespace,
            python_module("lab.probes.mqtt_user", "--host", "127.0.0.1", "--user", "viewer"),
            hub.log,
            read_json_line,
        )
        thief.send({"password": hub.secret("viewer").read_text().strip()})
        for topic in topics:
            thief.send({"topic": topic, "payload": "forged", "retain": True})
        hub.log.expect("thief", "published", PATIENCE_S, topic=topics[-1])
        witness.send({"topic": f"{PREFIX}/fence", "payload": "end"})
        hub.log.expect("witness", "message", PATIENCE_S, topic=f"{PREFIX}/fence")
        arrived = {str(e.data["topic"]) for e in hub.log.find("witness", "message") if e.data["payload"] == "forged"}
    text = f"{len(topics)} topics tried, {len(arrived)} messages delivered"
    return Verdict(not arrived, f"{text}{': ' + json.dumps(sorted(arrived)) if arrived else ''}")


ATTACKS = (Attack("viewer-writes", ATTACKER, "17 topics", write_everywhere),)
