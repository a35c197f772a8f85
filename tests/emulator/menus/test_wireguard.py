"""`/interface/wireguard/peers` on a real device, and `/tool/ping` with a real ping."""

import pytest

from tests.emulator.site.site_process import HUB_ENDPOINT, Machine, Start, peer

pytestmark = pytest.mark.lab


def test_peers_at_the_start_are_those_of_the_device(start: Start, machine: Machine) -> None:
    site = start()
    for name, text in {
        "endpoint-address": "192.0.2.1",
        "endpoint-port": "51820",
        "current-endpoint-address": "192.0.2.1",
        "persistent-keepalive": "00:00:25",
        "allowed-address": "10.99.0.0/24",
        "interface": "wg0",
        "disabled": "false",
    }.items():
        assert site.puts(f":put [/interface/wireguard/peers/get {peer(machine.hub)} {name}]") == [text], name
    types = [
        f":put [:typeof [/interface/wireguard/peers/get {peer(machine.other)} {name}]]"
        for name in ("endpoint-address", "endpoint-port", "last-handshake", "rx", "persistent-keepalive")
    ]
    assert site.puts("\n".join(types)) == ["str", "num", "nothing", "num", "nothing"]


def test_set_endpoint_reaches_the_device_and_is_reported(start: Start, machine: Machine) -> None:
    site = start()
    site.puts(f"/interface/wireguard/peers/set {peer(machine.hub)} endpoint-address=192.0.2.9 endpoint-port=5000")
    assert machine.device.dump()[machine.hub.public].endpoint == ("192.0.2.9", 5000)
    (told,) = site.log.find("a", "set")
    assert told.data["public-key"] == machine.hub.public
    assert told.data["changes"] == {"endpoint-address": "192.0.2.9", "endpoint-port": "5000"}


def test_set_ipv6_endpoint_without_brackets_reaches_the_device(start: Start, machine: Machine) -> None:
    site = start()
    site.puts(f'/interface/wireguard/peers/set {peer(machine.hub)} endpoint-address="2001:db8::7" endpoint-port=7')
    assert machine.device.dump()[machine.hub.public].endpoint == ("2001:db8::7", 7)
    get = f"/interface/wireguard/peers/get {peer(machine.hub)} endpoint-address"
    assert site.puts(f":put [:typeof [{get}]]") == ["ip6"]


@pytest.mark.parametrize("address", ["[2001:db8::7]", "300.1.1.1", "1.2.3.4/24", "a b"])
def test_set_endpoint_to_another_text_is_an_error(start: Start, machine: Machine, address: str) -> None:
    site = start()
    error = site.error(f'/interface/wireguard/peers/set {peer(machine.hub)} endpoint-address="{address}"')
    assert error.startswith("invalid value for argument endpoint-address")
    assert machine.device.dump()[machine.hub.public].endpoint == HUB_ENDPOINT


def test_set_endpoint_port_out_of_range_is_an_error(start: Start, machine: Machine) -> None:
    error = start().error(f"/interface/wireguard/peers/set {peer(machine.hub)} endpoint-port=65536")
    assert error.startswith("value of endpoint-port out of range (0..65535)")


def test_get_unknown_property_is_an_error(start: Start, machine: Machine) -> None:
    error = start().error(f':local name "nonsense"; /interface/wireguard/peers/get {peer(machine.hub)} $name')
    assert error.startswith("input does not match any value of value-name")


def test_get_of_find_that_finds_nothing_is_an_error(start: Start) -> None:
    error = start().error("/interface/wireguard/peers/get [/interface/wireguard/peers/find where name=x] name")
    assert error.startswith("invalid internal item number")


def test_set_of_find_that_finds_nothing_changes_nothing(start: Start) -> None:
    site = start()
    site.puts("/interface/wireguard/peers/set [/interface/wireguard/peers/find where name=x] comment=y")
    assert not site.log.find("a", "set")


def test_get_gives_str_changes_the_type_in_get_and_find(start: Start, machine: Machine) -> None:
    ask = f":put [:typeof [/interface/wireguard/peers/get {peer(machine.hub)} endpoint-address]]"
    assert start("7.20.8", "get_gives=ip").puts(ask) == ["ip"]
    assert start("7.20.8", "get_gives=str").puts(ask) == ["str"]


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("7.14.3", set()),
        ("7.16.2", {"name", "is-responder"}),
        ("7.17.1", {"name", "responder"}),
        ("7.24", {"name", "responder"}),
    ],
)
def test_peers_properties_follow_the_version(start: Start, machine: Machine, version: str, has: set[str]) -> None:
    (line,) = start(version).puts(f":put [/interface/wireguard/peers/get {peer(machine.hub)}]")
    assert {part.split("=")[0] for part in line.split(";")} & {"name", "responder", "is-responder"} == has


def test_ping_returns_the_number_of_replies(start: Start) -> None:
    site = start()
    assert site.puts(":put [/tool/ping address=10.99.0.2 count=2 interval=10ms]") == ["2"]
    assert len(site.log.find("a", "ping", ok=True)) == 2


def test_ping_of_the_router_itself_is_answered_without_a_packet(start: Start) -> None:
    site = start()
    assert site.puts(":put [/tool/ping address=127.0.0.1 count=2 interval=10ms]") == ["2"]
    assert site.log.find("a", "ping") == []


def test_ping_without_route_is_an_error(start: Start) -> None:
    assert start().error("/tool/ping address=203.0.113.9 count=1").startswith("no route to host")


def test_ping_without_reply_waits_for_the_interval(start: Start, machine: Machine) -> None:
    """The peer has no session, so WireGuard queues the packet; ping(8) waits its 200 ms."""
    machine.namespace.ip("route replace 10.99.0.0/24 dev wg0")
    site = start()
    assert site.puts(":put [/tool/ping address=10.99.0.77 count=1 interval=200ms]") == ["0"]
    (told,) = site.log.find("a", "ping")
    assert 150 < float(str(told.data["ms"])) < 1000
