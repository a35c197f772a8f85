"""Frozen: nothing is published but the hub's own word and status; afterwards everything that was missed."""

from tests.engine.test_reload import NAMES, STATUS, calm, serving
from tests.engine.world import World, make_config
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import FreezeChecked
from wgmqtt.wire.hub import decode_status


def is_frozen(world: World) -> bool:
    told = decode_status(world.retained[STATUS], STATUS)
    assert told is not None
    return told.is_frozen


def move_all(world: World) -> None:
    for number, name in enumerate(NAMES, 60):
        world.see(name, f"203.0.113.{number}")
        world.deliver()


def test_frozen_nothing_is_published_but_the_status_which_says_so() -> None:
    world = serving()
    world.step(FreezeChecked(is_frozen=True))
    world.deliver()
    assert is_frozen(world)
    calm(world)
    move_all(world)
    world.wait(7200)
    assert {message.topic for message in world.sent} <= {STATUS}
    assert world.published == []
    assert world.said.count("publishing frozen") == 1


def test_unfrozen_everything_that_was_missed_is_published() -> None:
    world = serving()
    world.step(FreezeChecked(is_frozen=True))
    move_all(world)
    world.wait(60)
    world.step(FreezeChecked(is_frozen=False))
    world.wait(60)
    assert not is_frozen(world)
    assert world.told("berlin", "cologne") == "203.0.113.61:51820"
    assert world.told("dresden", "berlin") == "203.0.113.60:51820"
    assert world.warned == []


def test_restart_while_frozen_publishes_nothing_and_still_says_so() -> None:
    world = serving()
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
    assert later.told("berlin", "cologne") == "203.0.113.61:51820"


def test_broker_that_forgot_everything_while_frozen_is_filled_afterwards() -> None:
    world = serving()
    world.step(FreezeChecked(is_frozen=True))
    world.forget()
    world.wait(60)
    assert not any(topic.endswith("/endpoints") for topic in world.retained)
    world.step(FreezeChecked(is_frozen=False))
    world.wait(60)
    assert world.told("berlin", "cologne") == "203.0.113.2:51820"


def test_frozen_between_publish_and_acknowledgement_no_second_one_follows() -> None:
    world = serving()
    world.see("berlin", "203.0.113.70")
    world.see("berlin", "203.0.113.71")
    world.step(FreezeChecked(is_frozen=True))
    calm(world)
    world.wait(600)
    assert world.published == []
