"""Which endpoints others learn, and which no configuration makes publishable."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from tests.engine.world import World, make_config
from wgmqtt.engine.announcements import reason_not_to_publish
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import Reconfigured
from wgmqtt.model import Endpoint

EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to reject, nothing listens there
        "0.1.2.3",
        "127.0.0.1",
        "127.255.255.254",
        "224.0.0.1",
        "239.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "ff02::1",
        "ff0e::1",
        "4000::1",
    ],
)
def test_address_of_no_host_is_never_announced_whatever_the_configuration_says(address: str) -> None:
    assert reason_not_to_publish(Endpoint(address, 51820), EVERYTHING)


@pytest.mark.parametrize("address", ["203.0.113.1", "2001:db8::1"])
def test_port_zero_is_never_announced(address: str) -> None:
    assert reason_not_to_publish(Endpoint(address, 0), EVERYTHING) == "it has port 0"
    assert reason_not_to_publish(Endpoint(address, 1), EVERYTHING) == ""


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "64:ff9b::808:808"])
def test_global_address_is_announced(address: str) -> None:
    assert reason_not_to_publish(Endpoint(address, 51820), ()) == ""


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("192.168.1.1", "it is private"),
        ("fd00::1", "it is private"),
        ("100.64.1.1", "it is shared by a provider's NAT (CGNAT)"),
    ],
)
def test_address_that_only_the_configuration_may_publish(address: str, reason: str) -> None:
    assert reason_not_to_publish(Endpoint(address, 51820), ()) == reason
    assert reason_not_to_publish(Endpoint(address, 51820), EVERYTHING) == ""


def test_port_zero_of_a_hostile_packet_leaves_the_published_endpoint() -> None:
    world = World(Engine(make_config(("berlin", "cologne")), "m"))
    world.connect()
    world.poll("berlin", "203.0.113.1")
    world.poll("cologne", "203.0.113.2")
    world.wait(60)
    world.poll("berlin", "203.0.113.1", 0)
    world.wait(60)
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.1:51820"


def test_router_on_the_hubs_own_network_is_announced_with_its_configured_public_endpoint() -> None:
    config = make_config(("berlin", "cologne"))
    public = Endpoint("203.0.113.200", 13231)
    routers = tuple(replace(each, public_endpoint=public) if each.name == "berlin" else each for each in config.routers)
    world = World(Engine(replace(config, routers=routers), "m"))
    world.connect()
    world.poll("berlin", "192.168.1.7")
    world.poll("cologne", "203.0.113.2")
    world.wait(60)
    assert world.endpoint_in("cologne", "berlin") == str(public)
    assert world.endpoint_in("berlin", "cologne") == "203.0.113.2:51820"
    world.step(Reconfigured(config))
    world.poll("berlin", "203.0.113.1")
    world.wait(60)
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.1:51820"
