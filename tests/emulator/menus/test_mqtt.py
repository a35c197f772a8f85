"""`/iot/mqtt` of the emulator against a real mosquitto."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Value
from lab.testbed.loopback_broker import Broker, Witness, free_port
from tests.emulator.menus.mqtt_menus import Client, new_client

pytestmark = pytest.mark.lab


@pytest.fixture
def client() -> Iterator[Client]:
    with new_client() as menus:
        yield menus


def test_brokers_add_with_auto_connect_connects(broker: Broker, client: Client) -> None:
    client.add(broker.port, auto_connect=True)
    assert client.wait_for("connected") == "hub"
    assert client.connected() is True


def test_brokers_add_without_auto_connect_stays_disconnected(broker: Broker, client: Client) -> None:
    client.add(broker.port)
    with pytest.raises(TimeoutError):
        client.wait_for("connected", 0.3)
    assert client.connected() is False


def test_brokers_set_auto_connect_connects(broker: Broker, client: Client) -> None:
    added = client.add(broker.port)
    client.brokers.call(Call("/iot/mqtt/brokers", "set", (added,), {"auto-connect": True}))
    client.wait_for("connected")


def test_connect_uses_a_clean_session_of_mqtt_3_1_1(broker: Broker, client: Client) -> None:
    """Mosquitto logs `(p2, c1, k60)`: protocol 3.1.1, clean session, keep-alive."""
    client.add(broker.port)
    client.order("connect")
    assert "as site-a (p2, c1, k60)" in broker.log()


def test_connect_when_connected_is_an_error(broker: Broker, client: Client) -> None:
    client.add(broker.port)
    client.order("connect")
    with pytest.raises(ScriptError, match="already connected"):
        client.order("connect")


def test_connect_without_broker_is_an_error(client: Client) -> None:
    client.add(free_port())
    with pytest.raises(ScriptError, match="refused"):
        client.order("connect")


def test_subscription_added_while_connected_takes_effect_after_reconnect(
    broker: Broker, witness: Witness, client: Client
) -> None:
    client.add(broker.port)
    client.order("connect")
    client.subscribe("t/site-a")
    witness.publish("t/site-a", b"early")
    with pytest.raises(TimeoutError):
        client.wait_for("message", 0.3)
    client.order("disconnect")
    client.wait_for("disconnected")
    client.order("connect")
    received = None
    while received is None:  # until the broker has the subscription
        witness.publish("t/site-a", b"late")
        with contextlib.suppress(TimeoutError):
            received = client.wait_for("message", 0.5)
    assert received == ("t/site-a", b"late")


def test_reconnect_delivers_the_retained_message_again(broker: Broker, witness: Witness, client: Client) -> None:
    """With a clean session the broker sends retained messages after every reconnect."""
    witness.publish("t/site-a", b"table", retain=True)
    client.add(broker.port)
    client.subscribe("t/site-a")
    client.brokers.call(Call("/iot/mqtt/brokers", "set", ("hub",), {"auto-connect": True}))
    assert client.wait_for("message") == ("t/site-a", b"table")
    began = time.monotonic()
    client.brokers.links()[0].cut()
    client.wait_for("disconnected")
    assert client.wait_for("message") == ("t/site-a", b"table")
    assert time.monotonic() - began > 0.9, "auto-connect waits a second"


def test_link_reconnects_after_a_restart_of_the_broker(broker: Broker, client: Client) -> None:
    client.add(broker.port, auto_connect=True)
    client.wait_for("connected")
    broker.stop()
    client.wait_for("disconnected")
    broker.start()
    client.wait_for("connected", 8)


def test_publish_qos_1_returns_after_the_acknowledgement(broker: Broker, witness: Witness, client: Client) -> None:
    client.add(broker.port)
    client.order("connect")
    client.order("publish", topic="t/report", message="caf\u00c3\u00a9", qos=1, retain=True)
    assert witness.next_message() == ("t/report", "café".encode(), False)
    fields = client.wait_for("publish")
    assert isinstance(fields, dict)
    assert (fields["ok"], fields["bytes"], fields["payload"]) == (True, 5, "café")
    assert "Sending PUBACK to site-a" in broker.log()


def test_publish_with_force_connects_and_disconnects_after(broker: Broker, witness: Witness, client: Client) -> None:
    client.add(broker.port)
    client.order("publish", topic="t/report", message="x", disconnect_after=True)
    assert witness.next_message()[1] == b"x"
    client.wait_for("disconnected")
    assert client.connected() is False


def test_publish_without_force_and_connection_is_an_error(broker: Broker, client: Client) -> None:
    client.add(broker.port)
    with pytest.raises(ScriptError, match="not connected"):
        client.order("publish", topic="t/report", message="x", force=False)


@pytest.mark.parametrize(("version", "longest"), [("7.17.1", 16_384), ("7.18.2", 32_768)])
def test_publish_message_too_long_is_an_error(broker: Broker, version: str, longest: int) -> None:
    with new_client(version) as client:
        client.add(broker.port)
        client.order("publish", topic="t/report", message="x" * longest, qos=1)
        with pytest.raises(ScriptError, match="too long"):
            client.order("publish", topic="t/report", message="x" * (longest + 1), qos=1)


def test_will_is_published_after_cut_but_not_after_disconnect(broker: Broker, witness: Witness, client: Client) -> None:
    client.add(broker.port, will_topic="t/online", will_message="offline", will_retain=True)
    client.order("connect")
    client.order("disconnect")
    client.wait_for("disconnected")
    client.order("connect")
    client.order("publish", topic="t/online", message="online")
    client.brokers.links()[0].cut()
    assert [witness.next_message()[1] for _ in range(2)] == [b"online", b"offline"]


def test_will_before_7_20_does_not_exist() -> None:
    with new_client("7.19.6") as client, pytest.raises(NotImplementedInEmulator):
        client.add(free_port(), will_topic="t/online")


def test_two_routers_with_the_default_client_id_evict_each_other(broker: Broker) -> None:
    with new_client() as first, new_client() as second:
        first.add(broker.port, client_id="", auto_connect=True)
        first.wait_for("connected")
        second.add(broker.port, client_id="")
        second.order("connect")
        first.wait_for("disconnected")


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ({"keep_alive": 29}, "value of keep-alive out of range (30..64800)"),
        ({"parallel_scripts_limit": 2}, "value of parallel-scripts-limit out of range (3..1000)"),
        ({"ssl": "perhaps"}, "invalid value for argument ssl"),
        ({"will_qos": "x"}, "invalid value for argument will-qos"),
    ],
)
def test_brokers_add_wrong_value_is_an_error(client: Client, named: dict[str, Value], text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        client.add(1, **named)
    assert str(caught.value) == text


def test_brokers_add_with_a_duplicate_name_is_an_error(client: Client) -> None:
    client.add(1)
    with pytest.raises(ScriptError, match="already exists"):
        client.add(2)


def test_brokers_remove_with_subscriptions_is_not_implemented(client: Client) -> None:
    client.add(1)
    client.subscribe("t/site-a")
    with pytest.raises(NotImplementedInEmulator, match="remove with subscriptions"):
        client.brokers.call(Call("/iot/mqtt/brokers", "remove", ("hub",)))


def test_subscriptions_of_unknown_broker_is_an_error(client: Client) -> None:
    with pytest.raises(ScriptError, match="input does not match any value of broker"):
        client.subscribe("t/site-a")
