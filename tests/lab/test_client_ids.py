"""A broker ends a connection when another client uses its client-id: no stolen account can do that to somebody else."""

import re
import time

import pytest

from lab.testbed.standalone_hub import StandaloneHub
from wgmqtt.wire.topics import router_client_id

pytestmark = pytest.mark.lab

HELD_S = 1.0


def password(hub: StandaloneHub, user: str) -> str:
    """Return the password of a user of the broker."""
    return hub.secret(user).read_text().strip()


def connect_with(hub: StandaloneHub, user: str, client_ids: set[str]) -> None:
    """Connect once as this user with each of these client-ids."""
    for number, client_id in enumerate(sorted(client_ids)):
        source = f"thief{number}"
        hub.client(user, password(hub, user), source=source, client_id=client_id).kill()


def test_router_that_uses_anothers_client_id_does_not_end_its_connection() -> None:
    with StandaloneHub() as hub:
        hub.start_broker()
        script = hub.wgmqtt("gen-rsc", "berlin")
        client_id = router_client_id("berlin", password(hub, "berlin"))
        assert f'client-id="{client_id}"' in script
        hub.client("berlin", password(hub, "berlin"), source="victim", client_id=client_id)
        ids = {"berlin", "wgmqtt-berlin", client_id.replace("berlin", "cologne")}
        connect_with(hub, "cologne", ids | {router_client_id("berlin", password(hub, "cologne"))})
        time.sleep(HELD_S)
        assert hub.log.find("victim", "disconnected") == []


def test_viewer_that_reads_everything_cannot_end_the_hubs_connection() -> None:
    """Every word that the viewer ever reads is tried as a client-id, alone and behind the hub's name."""
    with StandaloneHub() as hub:
        hub.start()
        hub.set_endpoints(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"))
        hub.expect_table("berlin", "cologne", "203.0.113.2:1002")
        time.sleep(HELD_S)
        messages = [str(event.data["payload"]) for event in hub.log.find("viewer", "message")]
        words = {word for text in messages for word in re.findall(r"[0-9a-f]{8,}|wgmqtt-[\w-]+", text)}
        assert words
        begun_ns = hub.log.note("lab", "mark").t_ns
        connect_with(hub, "viewer", words | {f"wgmqtt-hub1-{word}" for word in words})
        time.sleep(HELD_S)
        assert hub.warnings(since_ns=begun_ns) == []
