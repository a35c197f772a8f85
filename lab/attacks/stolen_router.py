"""What somebody can do with the password of one router."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping

from lab.attacks.attack import Attack, Verdict
from lab.attacks.hub import THIEF, AttackedHub, delays, endpoint
from lab.network.netns import PROJECT, python_module
from lab.testbed.child import Child, read_json_line
from lab.testbed.daemon import read_line
from lab.testbed.events import PATIENCE_S, Event
from lab.testbed.process_cost import cpu_s, memory_mib
from lab.testbed.standalone_hub import HOST, PREFIX, StandaloneHub, key_of
from wgmqtt.wire.topics import router_client_id

ATTACKER = "one stolen router"
MEDIAN_MS, MAX_MS = 100.0, 1000.0  # by how much a flood may delay the median of others' moves, and each of them
GROWTH_MIB = 24.0
LINES_A_SECOND = 20.0
TABLES_A_SECOND = 5.0
BEFORE, DURING = 8, 16  # moves without and with a flood
LIE_S = 8.0
CONNECTIONS, EXHAUST_S = 6000, 10.0
TUNNEL = "10.99.0.1"
LOGIN_MS = 2000.0
# Control characters of C0 and C1, and the bidirectional overrides and isolates.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\ud800\x00"


def flood_of(rate: float, size: int, slack: float) -> Verdict:
    """Publish reports, each newer than the last, at this rate and of this size, while others move."""
    with AttackedHub((BEFORE + DURING) // 2) as attacked:
        hub = attacked.hub
        before_ms = attacked.moves_ms(BEFORE)
        since_ns = attacked.now_ns()
        keys = [key_of(name) for name in attacked.innocent]
        where = ("--host", HOST, "--user", THIEF, "--topic", f"{PREFIX}/{THIEF}/report")
        command = python_module("lab.probes.report_flood", *where, "--rate", str(rate), "--bytes", str(size), *keys)
        flood = Child("flood", hub.namespace, command, hub.log, read_json_line)
        flood.send({"password": attacked.password(THIEF), "seq": attacked.newest_seq(THIEF)})
        hub.log.expect("flood", "sent", PATIENCE_S)
        _, used_mib = attacked.daemon_cost()
        during_ms = attacked.moves_ms(DURING)
        growth_mib = attacked.daemon_cost()[1] - used_mib
        seconds = (attacked.now_ns() - since_ns) / 1e9
        sent = int(str(hub.log.find("flood", "sent")[-1].data["count"]))
        lines_a_second = attacked.log_lines(since_ns) / seconds
    median_ms, max_ms, text = delays(before_ms, during_ms)
    is_held = median_ms < MEDIAN_MS * slack and max_ms < MAX_MS * slack and growth_mib < GROWTH_MIB
    memory = f"memory {growth_mib:+.1f} MiB, {lines_a_second:.0f} lines of log a second"
    return Verdict(is_held, f"{sent / seconds:.0f} reports a second; {text}; {memory}")


def flood_large_reports(slack: float) -> Verdict:
    """Publish reports as large as RouterOS could."""
    return flood_of(150.0, 32_000, slack)


def flood_small_reports(slack: float) -> Verdict:
    """Publish small reports as fast as possible."""
    return flood_of(20_000.0, 300, slack)


def evict_client_ids(slack: float) -> Verdict:
    """Log in with the client-ids that another router, or the hub, might use."""
    with StandaloneHub() as hub:
        hub.start()
        passwords = {name: hub.secret(name).read_text().strip() for name in ("berlin", "cologne")}
        victim_id = router_client_id("berlin", passwords["berlin"])
        hub.client("berlin", passwords["berlin"], source="victim", client_id=victim_id)
        guesses = [
            "berlin",
            "wgmqtt-berlin",
            "wgmqtt-hub1",
            "hub1",
            "hub",
            router_client_id("berlin", passwords["cologne"]),
        ]
        for number, guess in enumerate(guesses):
            hub.client("cologne", passwords["cologne"], source=f"thief{number}", client_id=guess).kill()
        time.sleep(min(slack, 3.0))
        lost = len(hub.log.find("victim", "disconnected")) + len(hub.warnings())
    return Verdict(lost == 0, f"{len(guesses)} client-ids tried, {lost} connections of others ended")


def exhaust_connections(slack: float) -> Verdict:
    """Open as many connections as possible from one address, and see whether another router still gets in."""
    broker = {"host": TUNNEL, "username": "hub", "for_routers": {"host": TUNNEL}}
    with StandaloneHub() as hub:
        hub.settings["broker"] = broker | {"password_file": str(hub.secret("hub"))}
        hub.write_config()
        addresses = [f"addr add 10.99.0.{number}/24 dev wan" for number in (2, 3)]
        routers = hub.add_machine("routers", *addresses)
        hub.namespace.ip(f"addr add {TUNNEL}/24 dev wan")
        hub.namespace.run("nft", "-f", str(PROJECT / "packaging/nftables/wgmqtt-broker.nft"))
        hub.add_interface()
        hub.start_broker(viewer=False)
        hub.daemon.start()
        hub.expect_log("broker ready")

        def connect(source: str, user: str, address: str, *arguments: str) -> Mapping[str, object]:
            where = ("--user", user, "--host", TUNNEL, "--source", address)
            command = python_module("lab.attacks.thief", "connections", *where, *arguments)
            child = Child(source, routers, command, hub.log, read_json_line)
            child.send({"password": hub.secret(user).read_text().strip()})
            return hub.log.expect(source, "done", 300.0).data

        bounds = ("--count", str(CONNECTIONS), "--seconds", str(EXHAUST_S), "--timeout", "0.2")
        found = connect("thief", "cologne", "10.99.0.2", *bounds)
        begun_s = time.monotonic()
        innocent = connect("innocent", "berlin", "10.99.0.3")
        ms = (time.monotonic() - begun_s) * 1000
        lost = len(hub.warnings())
    answer = f"another router logs in within {ms:.0f} ms" if innocent["accepted"] else "no login any more"
    text = f"{found['accepted']} of {found['tried']} connections accepted; {answer}"
    return Verdict(innocent["accepted"] == 1 and ms < LOGIN_MS * slack and lost == 0, text)


def fill_sessions(slack: float) -> Verdict:  # noqa: ARG001 - nothing here depends on time
    """Leave persistent sessions behind, full of unfinished QoS 2 messages."""
    with AttackedHub(1) as attacked:
        used_mib = memory_mib(attacked.broker_pid)
        size = ("--count", "100", "--bytes", "30000", "--seconds", "60", "--topic", f"{PREFIX}/{THIEF}/report")
        attacked.start_thief("sessions", *size)
        sent_mib = attacked.result()["sent_mib"]
        growth_mib = memory_mib(attacked.broker_pid) - used_mib
        attacked.moves_ms(1)
    text = f"{sent_mib} MiB sent in QoS 2 messages: broker {growth_mib:+.1f} MiB"
    return Verdict(growth_mib < GROWTH_MIB, text)


def publish_huge_report(slack: float) -> Verdict:  # noqa: ARG001 - nothing here depends on time
    """Publish one report of 64 MiB."""
    with AttackedHub(1) as attacked:
        before = memory_mib(attacked.broker_pid, "VmHWM"), memory_mib(attacked.daemon_pid, "VmHWM")
        attacked.start_thief("large", "--bytes", str(64 << 20), "--topic", f"{PREFIX}/{THIEF}/report")
        sent_mib = attacked.result()["sent_mib"]
        attacked.moves_ms(1)
        after = memory_mib(attacked.broker_pid, "VmHWM"), memory_mib(attacked.daemon_pid, "VmHWM")
    broker_mib, daemon_mib = after[0] - before[0], after[1] - before[1]
    text = f"{sent_mib} MiB sent in one message: broker {broker_mib:+.1f} MiB, daemon {daemon_mib:+.1f} MiB"
    return Verdict(max(broker_mib, daemon_mib) < GROWTH_MIB, text)


def lie_about_tables(slack: float) -> Verdict:
    """Answer each table with reports that contradict it, and count the tables that this causes."""
    with AttackedHub() as attacked:
        before_ms = attacked.moves_ms(4)
        since_ns = attacked.now_ns()
        used_s = cpu_s(attacked.daemon_pid)
        attacked.start_thief("lie", "--seconds", str(LIE_S), "--topic", f"{PREFIX}/{THIEF}/endpoints")
        time.sleep(1.0)
        during_ms = attacked.moves_ms(4)
        found = attacked.result()
        used_s = cpu_s(attacked.daemon_pid) - used_s
        tables = len(attacked.hub.log.find("viewer", "message", since_ns=since_ns)) / LIE_S
        lines = attacked.log_lines(since_ns) / LIE_S
    median_ms, max_ms, text = delays(before_ms, during_ms)
    is_held = tables < TABLES_A_SECOND + len(during_ms) and lines < LINES_A_SECOND + 4 * len(during_ms)
    is_held = is_held and median_ms < MEDIAN_MS * slack and max_ms < MAX_MS * slack
    rates = f"{tables:.1f} tables and {lines:.0f} lines of log a second, {used_s / LIE_S:.0%} CPU"
    return Verdict(is_held, f"{found['reports']} false reports: {rates}; {text}")


def inject_terminal_control(slack: float) -> Verdict:  # noqa: ARG001 - nothing here depends on time
    """Put terminal control into every text of a report, and examine the output of all programs."""
    raw: dict[str, list[str]] = {"log": [], "events": []}

    def keep(source: str, line: str) -> Event:
        raw["events" if source == "events" else "log"].append(line)
        return read_line(source, line)

    with StandaloneHub() as hub:
        hub.add_interface()
        hub.start_broker()
        Child("hub", hub.namespace, python_module("wgmqtt", "run", "-c", str(hub.config)), hub.log, keep)
        hub.expect_log("broker ready")
        hub.set_endpoints(("berlin", endpoint("a1", 0)), ("cologne", endpoint("a2", 0)))
        hub.expect_table("berlin", "cologne", endpoint("a2", 0))
        time.sleep(1.0)
        events = Child("events", hub.namespace, python_module("wgmqtt", "events", "-c", str(hub.config)), hub.log, keep)
        thief = Child(
            "thief",
            hub.namespace,
            python_module("lab.attacks.thief", "publish", "--user", "berlin"),
            hub.log,
            read_json_line,
        )
        thief.send({"password": hub.secret("berlin").read_text().strip()})
        raw["status"] = list(_outputs_after_reports(hub, thief))
        hub.set_endpoints(("cologne", endpoint("a2", 1)))
        hub.expect_table("berlin", "cologne", endpoint("a2", 1))
        time.sleep(1.0)
        is_running = events.runs
    dirty = [name for name, lines in raw.items() if any(CONTROL.search(line.replace("\n", "")) for line in lines)]
    survived = "status and events survive" if is_running and raw["events"] else "events ended or printed nothing"
    return Verdict(
        not dirty and is_running and bool(raw["events"]),
        f"{sum(map(len, raw.values()))} lines with raw control characters in: {', '.join(dirty) or 'none'}; {survived}",
    )


def _outputs_after_reports(hub: StandaloneHub, thief: Child) -> Iterator[str]:
    """Publish each hostile report, and yield the lines that `wgmqtt status` prints then."""
    for stage in ("applied", "final"):
        table = hub.log.find("viewer", "message", topic=f"{PREFIX}/berlin/endpoints")[-1]
        for payload in hostile_reports(json.loads(str(table.data["payload"]))["seq"], stage):
            since_ns = hub.log.note("lab", "mark").t_ns
            thief.send({"topic": f"{PREFIX}/berlin/report", "payload": payload})
            hub.log.expect("thief", "published", PATIENCE_S, since_ns=since_ns)
            time.sleep(1.0)
            yield from hub.namespace.run(*python_module("wgmqtt", "status", "-c", str(hub.config))).splitlines()


def hostile_reports(seq: str, stage: str) -> Iterable[str]:
    """Return reports with hostile texts: escaped in JSON, and raw."""
    line = {
        "key": key_of("cologne"),
        "did": HOSTILE,
        "configured": "203.0.113.1 1",
        "current": HOSTILE,
        "error": HOSTILE,
    }
    texts = {"script": HOSTILE, "routeros": HOSTILE, "caps": [HOSTILE], "error": HOSTILE}
    yield json.dumps({"v": 1, "seq": seq, "stage": stage, **texts, "peers": [line]})
    yield json.dumps({"v": 1, "seq": seq, "stage": stage, **texts, "peers": []}, ensure_ascii=False)
    yield json.dumps({"v": 1, "seq": HOSTILE, "stage": HOSTILE, "peers": []})
    yield HOSTILE


ATTACKS = (
    Attack(
        "large-reports",
        ATTACKER,
        f"150 reports a second of 32 kB, until {DURING} moves are published",
        flood_large_reports,
    ),
    Attack(
        "small-reports",
        ATTACKER,
        f"as many reports of 300 bytes as fit, until {DURING} moves are published",
        flood_small_reports,
    ),
    Attack("lies", ATTACKER, f"two false reports for each table, {LIE_S:.0f} s", lie_about_tables),
    Attack("client-ids", ATTACKER, "6 client-ids", evict_client_ids),
    Attack("connections", ATTACKER, f"{CONNECTIONS} connections, {EXHAUST_S:.0f} s", exhaust_connections),
    Attack("sessions", ATTACKER, "100 sessions, 40 QoS 2 messages of 30 kB each", fill_sessions),
    Attack("huge-report", ATTACKER, "one message of 64 MiB", publish_huge_report),
    Attack("terminal", ATTACKER, "8 reports", inject_terminal_control),
)
