"""A retained topic of the hub that another client overwrites or clears is published again, without a loop."""

import pytest

from tests.engine.test_reload import ADDRESSES, make_serving
from tests.engine.world import World
from wgmqtt.wire.hub import Online, decode_online, encode_online

TABLE = "wgmqtt/v1/berlin/endpoints"
ONLINE = "wgmqtt/v1/hub/hub1/online"
PHRASE = "table overwritten by another client, publishing it again"


def overwrite(world: World, topic: str, payload: bytes) -> None:
    """Let another client publish on a topic of the hub."""
    world.broker.publish(topic, payload)
    world.deliver()


@pytest.mark.parametrize("payload", [b"", b"nonsense", b'{"v":1,"hub":"hub1","seq":"1","peers":[]}'])
def test_table_that_is_emptied_or_forged_is_healed_within_seconds(payload: bytes) -> None:
    world = make_serving()
    overwrite(world, TABLE, payload)
    world.wait(3)
    assert world.endpoint_in("berlin", "cologne") == f"{ADDRESSES['cologne']}:51820"
    assert world.warnings == [PHRASE]
    assert [name for name, _ in world.published] == ["berlin"]


def test_own_tables_that_return_from_the_broker_cause_nothing() -> None:
    world = make_serving()
    for number in range(60, 70):
        world.poll("berlin", f"203.0.113.{number}")
        world.wait(1)
    world.wait(60)
    assert PHRASE not in world.logged


def test_table_that_is_forged_again_and_again_is_replaced_less_and_less_often() -> None:
    """The other client answers every table at once, as a second writer would."""
    world = make_serving()
    for _ in range(3000):
        if world.endpoint_in_or_none("berlin", "cologne") is not None:
            overwrite(world, TABLE, b"")
        world.wait(0.1)
    assert 5 < len(world.published) < 25
    world.wait(60)
    assert world.endpoint_in("berlin", "cologne") == f"{ADDRESSES['cologne']}:51820"


@pytest.mark.parametrize("payload", [b"", b"nonsense", encode_online(Online(is_online=False, instance="x"))])
def test_online_topic_that_is_emptied_or_forged_is_healed_within_seconds(payload: bytes) -> None:
    world = make_serving()
    overwrite(world, ONLINE, payload)
    world.wait(5)
    online = decode_online(world.retained[ONLINE], ONLINE)
    assert online == Online(is_online=True, instance="m")
    assert world.phase == "ready"
    assert world.published == []
