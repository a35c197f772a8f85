"""A thousand reports at once: all are processed, and the table after a move meanwhile is not delayed."""

import json
import time

import pytest

from lab.network.netns import python_module
from lab.testbed.broker import HUB_USER
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import PATIENCE_S
from lab.testbed.setting import PREFIX
from lab.testbed.standalone_hub import HOST, StandaloneHub, key_of

pytestmark = pytest.mark.lab

COUNT = 1000
NAMES = [f"r{number:04}" for number in range(COUNT)]
TABLES_S = 120.0
PUBLISHED_MS = 20_000.0  # 60 ms on a quiet machine


def partner(number: int) -> str:
    """Return the router to which router `number` is linked."""
    return NAMES[number ^ 1]


def place(number: int, host: int = 0) -> str:
    """Return an endpoint that only this router has."""
    return f"203.0.113.{number % 250 + 1}:{number // 250 + 10_000 + host}"


def newest_tables(hub: StandaloneHub) -> dict[str, str]:
    """Return the `seq` of each router's table, once all have one and none came for a second."""
    deadline = time.monotonic() + TABLES_S
    before = -1
    while time.monotonic() < deadline:
        tables = hub.published()
        found = {str(event.data["topic"]).split("/")[-2]: str(event.data["payload"]) for event in tables}
        if len(found) == COUNT and len(tables) == before:
            return {name: str(json.loads(payload)["seq"]) for name, payload in found.items()}
        before = len(tables)
        time.sleep(1.0)
    raise TimeoutError(f"{before} tables after {TABLES_S} s")


def report(number: int, seq: str) -> str:
    """Return the report of router `number` about its peer."""
    there = place(number ^ 1).replace(":", " ")
    line = {"key": key_of(partner(number)), "did": "set", "configured": there, "current": there, "rx": "5"}
    return json.dumps({"v": 1, "seq": seq, "stage": "final", "error": "", "peers": [line | {"handshake_s": ""}]})


def test_thousand_reports_at_once_are_processed_and_a_move_is_published_meanwhile(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with StandaloneHub() as hub:
        hub.start_broker()
        for name in NAMES:
            hub.add_router(name)
        hub.settings["links"] = [[NAMES[number], partner(number)] for number in range(0, COUNT, 2)]
        hub.write_config()
        hub.add_interface()
        hub.set_endpoints(*((name, place(number)) for number, name in enumerate(NAMES)))
        hub.daemon.start()
        seqs = newest_tables(hub)

        command = python_module("lab.probes.mqtt_user", "--host", HOST, "--user", HUB_USER)
        routers = Child("routers", hub.namespace, command, hub.log, read_json_line)
        routers.send({"password": hub.secret(HUB_USER).read_text().strip()})
        hub.log.expect("routers", "connected", PATIENCE_S)
        begun_ns = hub.log.note("lab", "reports").t_ns
        for number, name in enumerate(NAMES):
            routers.send({"topic": f"{PREFIX}/{name}/report", "payload": report(number, seqs[name]), "retain": True})
        moved_ns = hub.set_endpoints((NAMES[0], place(0, 1)))
        table = hub.expect_table(NAMES[1], NAMES[0], place(0, 1), since_ns=moved_ns)
        last = hub.expect_log("table final", PATIENCE_S, router=NAMES[-1])
        hub.log.wait_for(
            lambda _: len({event.data["router"] for event in hub.log.find("hub", "table final")}) >= COUNT - 2,
            PATIENCE_S,
            what="the reports of all but the two routers that got another table meanwhile",
        )
        assert hub.warnings() == []
    published_ms, processed_ms = (table.t_ns - moved_ns) / 1e6, (last.t_ns - begun_ns) / 1e6
    assert published_ms < PUBLISHED_MS
    with capsys.disabled():
        figures = f"processed after {processed_ms:.0f} ms, a move published after {published_ms:.0f} ms"
        print(f"\n{COUNT} reports at once: {figures}")  # noqa: T201 - the figures
