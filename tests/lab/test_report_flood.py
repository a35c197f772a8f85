"""One stolen router publishes reports without end: the others' moves are announced as before, and memory stays flat."""

import json
import statistics

import pytest

from lab.network.netns import python_module
from lab.network.shell import run
from lab.testbed.child import Child, read_json_line
from lab.testbed.process_cost import cpu_s, find_process, memory_mib
from lab.testbed.standalone_hub import HOST, PREFIX, StandaloneHub, key_of

pytestmark = pytest.mark.lab

THIEF = "t0"
PAIRS = [(f"a{number}", f"b{number}") for number in range(15)]
MEDIAN_MS, MAX_MS = 100.0, 1000.0
GROWTH_MIB = 16.0


def place(name: str, turn: int) -> str:
    """Return an endpoint that is this router's alone."""
    return f"203.0.113.{(ord(name[0]) + turn) % 250}:{10_000 + int(name[1:])}"


def watch_tables(hub: StandaloneHub) -> None:
    """Listen to every table, and to nothing else: a viewer would be flooded, too."""
    topics = [f"--topic={PREFIX}/{name}/endpoints" for pair in PAIRS for name in pair]
    command = python_module("lab.probes.mqtt_user", "--host", HOST, "--user", "hub", *topics)
    child = Child("viewer", hub.namespace, command, hub.log, read_json_line)
    child.send({"password": hub.secret("hub").read_text().strip()})
    hub.log.expect("viewer", "subscribed", 30.0)


def moves_ms(hub: StandaloneHub, turn: int) -> list[float]:
    """Move one end of each pair, one after the other; return after how long the other end was told."""
    found = list[float]()
    for moved, other in PAIRS:
        seen_ns = hub.set_endpoints((moved, place(moved, turn)))
        found.append((hub.expect_table(other, moved, place(moved, turn), since_ns=seen_ns).t_ns - seen_ns) / 1e6)
    return found


def start_flood(hub: StandaloneHub, rate: float, size: int) -> Child:
    """Let the thief publish reports, newer and newer, about all of its peers."""
    table = hub.log.find("hub", "table published", router=THIEF)[-1]
    keys = [key_of(name) for pair in PAIRS for name in pair]
    topic = f"{PREFIX}/{THIEF}/report"
    arguments = ("--host", HOST, "--user", THIEF, "--topic", topic, "--rate", str(rate), "--bytes", str(size), *keys)
    child = Child("thief", hub.namespace, python_module("lab.probes.report_flood", *arguments), hub.log, read_json_line)
    child.send({"password": hub.secret(THIEF).read_text().strip(), "seq": str(table.data["seq"])})
    hub.log.expect("thief", "flooding", 30.0)
    return child


@pytest.mark.parametrize(("rate", "size"), [(150.0, 32_000), (20000.0, 300)], ids=["large", "many"])
def test_flood_of_reports_from_one_router_delays_no_other_router(
    rate: float, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [THIEF, *(name for pair in PAIRS for name in pair)]
    with StandaloneHub(names) as hub:
        hub.settings["links"] = [*map(list, PAIRS), *([THIEF, name] for pair in PAIRS for name in pair)]
        hub.write_config()
        hub.add_interface()
        hub.start_broker(viewer=False)
        watch_tables(hub)
        hub.daemon.start()
        hub.expect_log("broker ready")
        hub.set_endpoints(*((name, place(name, 0)) for name in names))
        hub.expect_table("a0", "b0", place("b0", 0))
        before_ms = moves_ms(hub, 1)
        daemon = find_process("wgmqtt", run("ip", "netns", "pids", hub.namespace.name))
        flooded_ns = hub.log.note("lab", "mark").t_ns
        start_flood(hub, rate, size)
        hub.log.expect("thief", "sent", 30.0)
        used_s, used_mib = cpu_s(daemon), memory_mib(daemon)
        flooded_ms = moves_ms(hub, 2) + moves_ms(hub, 3)
        seconds = (hub.log.note("lab", "mark").t_ns - flooded_ns) / 1e9
        sent = json.loads(str(hub.log.find("thief", "sent")[-1].data["count"]))
        growth_mib, share = memory_mib(daemon) - used_mib, (cpu_s(daemon) - used_s) / seconds
        lines = len(hub.log.find("hub", "", since_ns=flooded_ns))
    figures = (
        f"reports of {size} bytes, {sent / seconds:.0f} a second: moves published after "
        f"{statistics.median(before_ms):.0f} ms (median) without, {statistics.median(flooded_ms):.0f} with, "
        f"at most {max(flooded_ms):.0f}; "
        f"memory {growth_mib:+.1f} MiB, {share:.0%} CPU, {lines} lines of log in {seconds:.0f} s"
    )
    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201 - the figures
    assert statistics.median(flooded_ms) - statistics.median(before_ms) < MEDIAN_MS, figures
    assert max(flooded_ms) < MAX_MS, figures
    assert growth_mib < GROWTH_MIB, figures
