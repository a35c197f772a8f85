"""Addresses of rejected packets are remembered for a while, and a flood of them costs no memory."""

from tests.engine.world import make_world
from wgmqtt.engine import rejected_packets
from wgmqtt.engine.events import Now, PacketsRejected
from wgmqtt.model import Endpoint


def test_rejected_address_is_forgotten_after_a_while() -> None:
    world = make_world()
    world.step(PacketsRejected("wg0", (Endpoint("203.0.113.9", 1),)))
    assert rejected_packets.are_rejected(
        world.state, "203.0.113.9", Now(world.mono_s + rejected_packets.RECENT_S - 1, 0)
    )
    assert not rejected_packets.are_rejected(
        world.state, "203.0.113.9", Now(world.mono_s + rejected_packets.RECENT_S, 0)
    )
    assert not rejected_packets.are_rejected(world.state, "203.0.113.8", Now(world.mono_s, 0))


def test_flood_of_rejected_packets_is_bounded_and_old_addresses_are_replaced() -> None:
    world = make_world()
    for number in range(2000):
        world.step(PacketsRejected("wg0", (Endpoint(f"10.0.{number // 250}.{number % 250}", number),)))
    assert len(world.state.rejected_s) == rejected_packets.MAX_ADDRESSES
    world.mono_s += rejected_packets.RECENT_S
    world.step(PacketsRejected("wg0", (Endpoint("203.0.113.9", 1),)))
    assert set(world.state.rejected_s) == {"203.0.113.9"}


def test_rejected_packets_of_a_router_that_is_alive_are_no_trouble() -> None:
    world = make_world()
    world.connect()
    world.poll("berlin", "203.0.113.1")
    world.step(PacketsRejected("wg0", (Endpoint("203.0.113.1", 4711),)))
    world.wait(100)
    assert not [phrase for phrase in world.logged if "refused" in phrase]
