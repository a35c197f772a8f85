"""The broker is unreachable, crashes, rejects logins or hangs: one warning each, and nothing is lost."""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from lab.network.shell import run
from lab.testbed.events import PATIENCE_S, Event
from lab.testbed.standalone_hub import PREFIX, StandaloneHub
from tests.lab.hub_steps import now_ns

pytestmark = pytest.mark.lab

AWAY = "broker unreachable"
LOST = "broker connection lost"
REFUSED = "broker rejected the login"


@pytest.fixture
def hub() -> Iterator[StandaloneHub]:
    """Give a running hub with three routers, two of which have endpoints and tables."""
    with StandaloneHub() as made:
        made.start()
        made.set_endpoints(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"))
        made.expect_table("berlin", "cologne", "203.0.113.2:1002")
        made.expect_table("cologne", "berlin", "203.0.113.1:1001")
        yield made


def test_broker_down_at_start_is_waited_for_and_warned_of_once() -> None:
    with StandaloneHub() as hub:
        hub.add_interface()
        hub.wgmqtt("gen-mosquitto", "--folder", str(hub.mosquitto))
        hub.daemon.start()
        assert "refused" in str(hub.expect_log(AWAY).data["reason"]).lower()
        hub.set_endpoints(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"))
        time.sleep(2.0)
        assert hub.warnings() == [AWAY]
        hub.start_broker()
        hub.expect_log("broker ready")
        hub.expect_table("berlin", "cologne", "203.0.113.2:1002")
        assert hub.warnings() == [AWAY]


def test_broker_killed_and_back_empty_gets_every_table_again(hub: StandaloneHub) -> None:
    killed_ns = hub.log.note("lab", "mark").t_ns
    hub.broker.kill()
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_log(LOST, since_ns=killed_ns)
    time.sleep(1.0)
    hub.broker.start()
    hub.expect_log("broker ready", since_ns=killed_ns, retained="0")
    hub.expect_table("cologne", "berlin", "203.0.113.44:1044", since_ns=killed_ns)
    hub.expect_table("berlin", "cologne", "203.0.113.2:1002", since_ns=killed_ns)
    assert hub.warnings() == [LOST]


def test_broker_that_hangs_is_disconnected_and_gets_unacknowledged_tables_again(hub: StandaloneHub) -> None:
    """With mosquitto suspended, the kernel accepts connections and data, and nobody answers."""
    stopped_ns = hub.log.note("lab", "mark").t_ns
    hub.broker.signal(signal.SIGSTOP)
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    lost = hub.expect_log(LOST, since_ns=stopped_ns)
    assert lost.data["reason"] == "no answer while ready"
    hub.broker.signal(signal.SIGCONT)
    hub.expect_table("cologne", "berlin", "203.0.113.44:1044", since_ns=stopped_ns)
    hub.expect_log("broker ready", since_ns=lost.t_ns)
    assert hub.warnings() == [LOST]


def test_broker_that_hangs_from_the_start_is_retried() -> None:
    with StandaloneHub() as hub:
        hub.add_interface()
        hub.start_broker()
        hub.broker.signal(signal.SIGSTOP)
        hub.daemon.start()
        assert hub.expect_log(AWAY).data["reason"] == "no answer while opening"
        hub.broker.signal(signal.SIGCONT)
        hub.expect_log("broker ready")
        assert hub.warnings() == [AWAY]


def rotate(hub: StandaloneHub, user: str) -> None:
    """Generate a new password for one user and let the broker load it: the steps of docs/operations.md."""
    hub.secret(user).unlink()
    hub.wgmqtt("gen-mosquitto", "--folder", str(hub.mosquitto))
    hub.broker.signal(signal.SIGHUP)


def test_rotated_password_of_the_hub_is_used_after_the_reload(hub: StandaloneHub) -> None:
    """SIGHUP to both; the broker may reject the daemon for a moment, which is at most one warning."""
    rotated_ns = hub.log.note("lab", "mark").t_ns
    rotate(hub, "hub")
    hub.daemon.signal(signal.SIGHUP)
    hub.expect_log("broker ready", since_ns=rotated_ns)
    hub.set_endpoints(("berlin", "203.0.113.44:1044"))
    hub.expect_table("cologne", "berlin", "203.0.113.44:1044", since_ns=rotated_ns)
    assert len(hub.warnings()) <= 1


def test_wrong_password_is_warned_of_once_until_it_is_right(hub: StandaloneHub) -> None:
    right = hub.secret("hub").read_text()
    hub.secret("hub").write_text("wrong\n")
    refused_ns = hub.log.note("lab", "mark").t_ns
    hub.daemon.signal(signal.SIGHUP)
    hub.expect_log(REFUSED, since_ns=refused_ns, reason="Not authorized")
    time.sleep(2.0)
    assert hub.warnings() == [REFUSED]
    hub.secret("hub").write_text(right)
    hub.expect_log("broker ready", since_ns=refused_ns)
    assert hub.warnings() == [REFUSED]
    assert right.strip() not in str(hub.log.since()), "no password in any line"


def test_rotated_password_of_a_router_replaces_the_old_one(hub: StandaloneHub) -> None:
    old = hub.secret("berlin").read_text().strip()
    hub.client("berlin", old, source="old")
    rotate(hub, "berlin")
    hub.client("berlin", old, source="late", connects=False)
    hub.log.expect("late", "connected", PATIENCE_S, reason="Not authorized")
    hub.client("berlin", hub.secret("berlin").read_text().strip(), source="new")
    hub.log.expect("old", "disconnected", PATIENCE_S)


def start_with(hub: StandaloneHub, way: dict[str, object], options: str) -> None:
    """Start a hub whose daemon reaches the broker this way, beside the listener for the other clients."""
    hub.add_interface()
    hub.start_broker(options)
    broker = {"username": "hub", "password_file": str(hub.secret("hub")), "for_routers": {"host": "10.99.0.1"}}
    hub.settings["broker"] = broker | way
    hub.write_config()
    hub.daemon.start()
    hub.expect_log("broker ready")
    hub.set_endpoints(("berlin", "203.0.113.1:1001"), ("cologne", "203.0.113.2:1002"))
    hub.expect_table("berlin", "cologne", "203.0.113.2:1002")
    assert hub.warnings() == []


def test_broker_by_its_unix_socket() -> None:
    with StandaloneHub() as hub:
        hub.directory.chmod(0o777)  # mosquitto runs as another user
        socket = hub.directory / "mosquitto.sock"
        start_with(hub, {"unix_socket": str(socket)}, f"listener 0 {socket}\n")


def make_certificates(hub: StandaloneHub) -> None:
    """Create a CA and a certificate for 127.0.0.1 in the hub's directory."""
    at = str(hub.directory)
    new = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-noenc",
        "-days",
        "2",
    )
    run(*new, "-subj", "/CN=test CA", "-keyout", f"{at}/ca.key", "-out", f"{at}/ca.pem")
    issued = ("-CA", f"{at}/ca.pem", "-CAkey", f"{at}/ca.key", "-addext", "subjectAltName=IP:127.0.0.1")
    basic = ("-addext", "basicConstraints=critical,CA:FALSE")
    run(*new, *issued, *basic, "-subj", "/CN=broker", "-keyout", f"{at}/broker.key", "-out", f"{at}/broker.pem")
    (hub.directory / "broker.key").chmod(0o644)


def test_broker_by_tls_with_its_own_ca_and_not_without() -> None:
    with StandaloneHub() as hub:
        make_certificates(hub)
        at = hub.directory
        options = f"listener 8883 127.0.0.1\ncertfile {at}/broker.pem\nkeyfile {at}/broker.key\n"
        start_with(hub, {"host": "127.0.0.1", "port": 8883, "tls": {"ca_file": f"{at}/ca.pem"}}, options)
        broker = hub.settings["broker"]
        assert isinstance(broker, dict)
        hub.settings["broker"] = broker | {"tls": {}}
        hub.write_config()
        hub.daemon.signal(signal.SIGHUP)
        assert "certificate verify failed" in str(hub.expect_log(AWAY).data["reason"])
        time.sleep(1.0)
        assert hub.warnings() == [AWAY]


def test_table_that_the_broker_takes_and_a_living_router_never_answers_is_noticed(hub: StandaloneHub) -> None:
    """Such as one that a full queue dropped: the broker acknowledges it to the hub all the same."""
    berlin = hub.client("berlin", hub.secret("berlin").read_text().strip(), source="berlin")
    newest = hub.log.find("hub", "table published", router="berlin")[-1]
    report = {"v": 1, "seq": newest.data["seq"], "stage": "final", "peers": []}
    berlin.send({"topic": f"{PREFIX}/berlin/report", "payload": json.dumps(report), "retain": True})
    hub.expect_log("table final", router="berlin")
    since_ns = now_ns(hub)
    hub.set_endpoints(("cologne", "203.0.113.44:1044"))
    hub.expect_log("table published", router="berlin", since_ns=since_ns)
    hub.set_endpoints(("berlin", "203.0.113.1:1001"))
    hub.expect_log("router is alive but does not answer", router="berlin", since_ns=since_ns)


@pytest.mark.parametrize("payload", ["", '{"v":1,"hub":"hub1","seq":"99999999999999999999","peers":[]}'])
def test_retained_topics_of_the_hub_that_another_client_empties_or_forges_are_healed(
    hub: StandaloneHub, payload: str
) -> None:
    """With the hub's stolen password, as nobody else may publish there."""
    forger = hub.client("hub", hub.secret("hub").read_text().strip(), source="forger", client_id="forger")
    since_ns = now_ns(hub)
    forger.send({"topic": f"{PREFIX}/berlin/endpoints", "payload": payload, "retain": True})
    hub.expect_table("berlin", "cologne", "203.0.113.2:1002", since_ns=since_ns)
    hub.expect_log("table overwritten by another client, publishing it again", since_ns=since_ns, router="berlin")
    online = f"{PREFIX}/hub/hub1/online"
    forger.send({"topic": online, "payload": payload, "retain": True})

    def is_restored(event: Event) -> bool:
        return event.matches("viewer", "message", topic=online) and '"online":true' in str(event.data["payload"])

    hub.log.wait_for(is_restored, PATIENCE_S, since_ns=since_ns, what="the hub is online again")
    hub.expect_log("broker ready", since_ns=since_ns)
    assert len(hub.log.find("hub", "table published", since_ns=since_ns)) == 1
