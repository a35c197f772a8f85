"""The process of a site: handlers, switches, MQTT, and how it ends."""

import json
import time

import pytest

from lab.network.netns import python_module
from lab.network.shell import LabError
from lab.testbed.child import Child, read_json_line
from lab.testbed.events import EventLog
from tests.emulator.site.site_process import MQTT_PORT, STEP_S, Machine, Start

pytestmark = pytest.mark.lab


def test_handler_sees_message_and_topic_and_no_globals_of_others(start: Start) -> None:
    site = start()
    site.puts(":global secret 1")
    since_ns = time.time_ns()
    done = site.handle(':global secret; :put "$msgTopic|$msgData|$[:typeof $secret]"', "café")
    assert done.data["ok"]
    assert [event.data["text"] for event in site.log.find("a", "put", since_ns=since_ns)] == ["t|café|nothing"]


def test_failed_handler_is_reported_and_logged(start: Start) -> None:
    site = start()
    done = site.handle(':error "broken"')
    assert (done.data["ok"], done.data["error"]) == (False, "broken (:error; line 1)")
    assert site.log.find("a", "log", topics="script,error")


def test_handlers_of_two_messages_run_at_the_same_time(start: Start) -> None:
    site = start()
    site.handle(":delay 2s")
    since_ns = time.time_ns()
    for _ in range(2):
        site.child.send({"do": "message", "topic": "t", "payload": ""})
    site.log.wait_for(lambda event: event.matches("a", "handler-done", n=2), STEP_S)
    site.log.wait_for(lambda event: event.matches("a", "handler-done", n=3), STEP_S)
    kinds = [event.kind for event in site.log.since(since_ns) if event.kind.startswith("handler")]
    assert kinds == ["handler-start"] * 2 + ["handler-done"] * 2


PING = ":put [/tool/ping address=127.0.0.1 count=1]"


def test_handler_with_all_permissions_can_ping(start: Start) -> None:
    assert start().handle(PING).data["ok"]


def test_handler_without_policy_test_fails_at_the_ping(start: Start) -> None:
    site = start("7.20.8", "hook_permissions=no-test")
    since_ns = time.time_ns()
    done = site.handle(f":put before\n:do {{ {PING} }} on-error={{ :put refused }}")
    assert done.data["ok"]
    assert [event.data["text"] for event in site.log.find("a", "put", since_ns=since_ns)] == ["before", "refused"]
    assert site.puts(PING) == ["1"], "only hooks are refused"


def test_handler_with_a_forbidden_command_does_not_run_with_refuse_hook(start: Start) -> None:
    site = start("7.20.8", "hook_permissions=refuse-hook")
    since_ns = time.time_ns()
    done = site.handle(f":put before\n:do {{ {PING} }} on-error={{}}")
    assert "not enough permissions (9)" in str(done.data["error"])
    assert not site.log.find("a", "put", since_ns=since_ns)
    assert site.handle(":put fine").data["ok"], "a handler without ping runs"


def test_commands_of_iot_without_the_package_are_syntax_errors(start: Start) -> None:
    site = start("7.20.8", "iot_listed_not_installed=yes")
    count = ':put [:len [/system/package/find where name="iot"]]'
    assert site.puts(count) == ["1"]
    assert site.puts(count.replace('"iot"', '"iot" disabled=no')) == ["0"]
    done = site.import_text(":put first\n:do { /iot/mqtt/brokers/find } on-error={ :put caught }\n")
    assert not done.data["ok"]
    assert [event.data["text"] for event in site.log.find("a", "put")][2:] == ["first"]


def test_message_over_mqtt_runs_its_handler_and_again_after_a_reconnect(start: Start) -> None:
    site = start()
    lines = [
        f'/iot/mqtt/brokers/add name="hub" address=127.0.0.1 port={MQTT_PORT} client-id="a" auto-connect=no',
        '/iot/mqtt/subscriptions/add broker="hub" topic="t/a" qos=1 on-message=":put \\$msgData"',
        '/iot/mqtt/publish broker="hub" topic="t/a" message="table" qos=1 retain=yes',
        '/iot/mqtt/brokers/set [find where name="hub"] auto-connect=yes',
    ]
    done = site.import_text("\n".join(lines) + "\n")
    assert done.data["ok"], done.data["error"]
    site.log.expect("a", "put", STEP_S, text="table")
    since_ns = time.time_ns()
    site.child.send({"do": "drop-mqtt"})
    site.log.expect("a", "connected", STEP_S, since_ns=since_ns)
    site.log.expect("a", "put", STEP_S, since_ns=since_ns, text="table")
    site.puts('/iot/mqtt/publish broker="hub" topic="t/a" message="" qos=1 retain=yes')


def test_not_implemented_ends_the_process_with_3(start: Start) -> None:
    site = start()
    site.child.send({"do": "run", "source": ":do { /iot/mqtt/subscribe broker=hub topic=t } on-error={}"})
    with pytest.raises(LabError):
        site.log.expect("a", "run-done", STEP_S)
    (told,) = site.log.find("a", "not-implemented")
    assert "/iot/mqtt/subscribe" in str(told.data["text"])
    assert site.exit_status() == 3


def test_not_implemented_in_a_handler_ends_the_process_with_3(start: Start) -> None:
    site = start()
    with pytest.raises(LabError):
        site.handle("/iot/mqtt/subscribe broker=idle topic=t")
    assert site.exit_status() == 3


def test_stop_ends_the_process_with_0(start: Start) -> None:
    site = start()
    site.child.send({"do": "stop"})
    site.log.wait_for(lambda event: event.kind in ("died", "ended"), STEP_S)
    (end,) = [event for event in site.log.since() if event.kind in ("died", "ended")]
    assert end.data["status"] == 0


def test_unknown_switch_is_rejected(machine: Machine) -> None:
    command = python_module("lab.routeros.site", "--interface", "wg0", "--name", "a", "--version", "7.20.8")
    log = EventLog()
    child = Child("a", machine.namespace, (*command, "--switch", "get_gives=no"), log, read_json_line)
    log.wait_for(lambda event: event.kind == "died", STEP_S)
    child.stop()
    assert log.find("a", "died", status=2)
    assert any("expected one of ip, str" in str(event.data.get("text")) for event in log.since())


def test_events_are_json_with_time_and_site(start: Start, machine: Machine) -> None:
    """Read one line directly, without the lab's reader."""
    site = start()
    site.child.stop()
    process = machine.namespace.start(
        *python_module("lab.routeros.site", "--interface", "wg0", "--name", "b", "--version", "7.24")
    )
    out, _ = process.communicate(json.dumps({"do": "stop"}) + "\n")
    first = json.loads(out.splitlines()[0])
    assert (first["site"], first["event"], first["version"]) == ("b", "ready", "7.24")
    assert abs(first["t_ns"] - time.time_ns()) < 60 * 10**9


def test_more_handlers_than_the_limit_are_not_implemented(start: Start) -> None:
    site = start()
    site.handle(":put ready")
    site.puts('/iot/mqtt/subscriptions/set [find where topic=t] on-message=":delay 60s"')  # the process ends before
    site.puts("/iot/mqtt/brokers/set [find where name=idle] parallel-scripts-limit=3")
    for _ in range(4):
        site.child.send({"do": "message", "topic": "t", "payload": ""})
    assert site.exit_status() == 3
    (told,) = site.log.find("a", "not-implemented")
    assert "parallel-scripts-limit=3" in str(told.data["text"])


def test_where_with_an_unknown_property_is_not_implemented(start: Start) -> None:
    site = start()
    site.child.send({"do": "run", "source": ":put [/system/package/find where build-time=x]"})
    assert site.exit_status() == 3
