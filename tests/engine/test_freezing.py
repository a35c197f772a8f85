"""Frozen: nothing is published but the hub's online topic and status; afterwards everything that changed meanwhile."""

from tests.engine.test_reload import NAMES, STATUS, calm, make_serving
from tests.engine.world import World, make_config
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import FreezeChecked
from wgmqtt.wire.hub import decode_status


def is_frozen(world: World) -> bool:
    status = decode_status(world.retained[STATUS], STATUS)
    assert status is not None
    return status.is_frozen


def move_all(world: World) -> None:
    for number, name in enumerate(NAMES, 60):
        world.poll(name, f"203.0.113.{number}")
        world.deliver()


def test_frozen_publishes_nothing_but_the_status() -> None:
    world = make_serving()
    world.step(FreezeChecked(is_frozen=True))
    world.deliver()
    assert is_frozen(world)
    calm(world)
    move_all(world)
    world.wait(7200)
    assert {message.topic for message in world.sent} <= {STATUS}
    assert world.published == []
    assert world.logged.count("publishing frozen") == 1


def test_unfrozen_publishes_everything_that_changed_meanwhile() -> None:
    world = make_serving()
    world.step(FreezeChecked(is_frozen=True))
    move_all(world)
    world.wait(60)
    world.step(FreezeChecked(is_frozen=False))
    world.wait(60)
    assert not is_frozen(world)
    assert world.endpoint_in("berlin", "cologne") == "203.0.113.61:51820"
    assert world.endpoint_in("dresden", "berlin") == "203.0.113.60:51820"
    assert world.warnings == []


def test_restart_while_frozen_publishes_nothing_but_the_status() -> None:
    world = make_serving()
    world.step(FreezeChecked(is_frozen=True))
    world.leave()
    later = World(Engine(make_config(), "n"), world.broker)
    later.step(FreezeChecked(is_frozen=True))
    later.connect()
    move_all(later)
    later.wait(60)
    assert later.published == []
    assert is_frozen(later)
    later.step(FreezeChecked(is_frozen=False))
    later.wait(60)
    assert later.endpoint_in("berlin", "cologne") == "203.0.113.61:51820"


def test_broker_that_crashed_while_frozen_gets_every_table_afterwards() -> None:
    world = make_serving()
    world.step(FreezeChecked(is_frozen=True))
    world.crash_broker()
    world.wait(60)
    assert not any(topic.endswith("/endpoints") for topic in world.retained)
    world.step(FreezeChecked(is_frozen=False))
    world.wait(60)
    assert world.endpoint_in("berlin", "cologne") == "203.0.113.2:51820"


def test_frozen_between_publish_and_acknowledgement_publishes_no_second_table() -> None:
    world = make_serving()
    world.poll("berlin", "203.0.113.70")
    world.poll("berlin", "203.0.113.71")
    world.step(FreezeChecked(is_frozen=True))
    calm(world)
    world.wait(600)
    assert world.published == []
