"""A broker that is down, rejects, forgets, is silent or ends each connection: one warning, and retries."""

import json

import pytest

from tests.engine.test_reload import ADDRESSES, calm, make_serving
from tests.engine.world import World, make_config, make_world
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import BrokerDown, Cause, Reconfigured, Woken


def fail_next(world: World, reason: str, cause: Cause = "connection") -> None:
    """Let the next connection fail."""
    world.mono_s = max(world.mono_s, world.wake_s)
    world.step(Woken())
    world.waiting.clear()
    world.step(BrokerDown(world.generation, reason, cause))


def test_broker_down_at_start_is_one_warning_however_long() -> None:
    world = make_world()
    world.reachable = False
    world.connect()
    world.wait(600)
    assert world.warnings == ["broker unreachable"]


def test_each_cause_of_a_failed_connection_is_one_warning() -> None:
    world = make_serving()
    world.lose_broker()
    for _ in range(4):
        fail_next(world, "Connection refused")
    for _ in range(4):
        fail_next(world, "Not authorized", "login")
    for _ in range(4):
        fail_next(world, "hub.password: cannot be read", "files")
    phrases = ["broker connection lost", "broker rejected the login", "broker credentials cannot be read"]
    assert world.warnings == phrases
    world.wait(60)
    assert (world.phase, world.state.session.failures) == ("ready", 0)
    world.lose_broker()
    fail_next(world, "Not authorized", "login")
    assert world.warnings[3:] == ["broker connection lost", "broker rejected the login"], (
        "it is a new trouble after a stable connection"
    )


def test_broker_that_ends_each_connection_soon_is_retried_with_back_off() -> None:
    """Some brokers end the connection after a publish that their access rules forbid."""
    world = make_serving()
    before = world.generation
    for _ in range(8):
        world.lose_broker()
        world.wait(8.1)
        assert world.phase == "ready"
    assert world.warnings == ["broker connection lost"]
    begun_s = world.mono_s
    world.lose_broker()
    while world.phase != "ready":
        world.mono_s = world.wake_s
        world.step(Woken())
        world.deliver()
    assert world.mono_s - begun_s >= 8.0
    assert world.generation == before + 9


def test_new_configuration_while_the_broker_is_down_retries_at_once_and_warns_no_more() -> None:
    world = make_world()
    world.reachable = False
    world.connect()
    world.wait(60)
    generation = world.generation
    world.step(Reconfigured(make_config()))
    world.step(Woken())
    assert world.generation == generation + 1
    world.deliver()
    assert world.warnings == ["broker unreachable"]


@pytest.mark.parametrize("arrived", range(12))
def test_connection_that_breaks_between_any_two_messages_still_delivers_every_table(arrived: int) -> None:
    world = make_world()
    for name, address in ADDRESSES.items():
        world.poll(name, address)
    world.step(Woken())
    for _ in range(min(arrived, len(world.waiting))):
        world.next()
    world.lose_broker()
    world.wait(60)
    for name in ADDRESSES:
        for other in ADDRESSES.keys() - {name}:
            assert world.endpoint_in(name, other) == f"{ADDRESSES[other]}:51820"
    calm(world)
    world.lose_broker()
    world.wait(60)
    assert world.published == [], "nothing is owed any more"


@pytest.mark.parametrize("step_s", [-10 * 365 * 86400.0, -3600.0, 3600.0, 10 * 365 * 86400.0])
def test_wall_clock_that_steps_changes_no_deadline_and_never_decreases_seq(step_s: float) -> None:
    world = make_serving()
    before = {name: world.table_of(name).seq for name in ADDRESSES}
    woken_at = world.wake_s
    world.wall_s += step_s
    world.step(Woken())
    assert world.wake_s == pytest.approx(woken_at, abs=60)
    world.poll("berlin", "203.0.113.99")
    world.wait(1)
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.99:51820"
    after = {name: world.table_of(name).seq for name in ADDRESSES}
    assert all(after[name] > before[name] for name in ADDRESSES)
    world.wall_s -= step_s
    world.poll("berlin", "203.0.113.98")
    world.wait(60)
    assert all(world.table_of(name).seq > after[name] for name in ADDRESSES)


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_wall_clock_that_stepped_while_the_daemon_was_off_never_decreases_seq(step_s: float) -> None:
    world = make_serving()
    before = {name: world.table_of(name).seq for name in ADDRESSES}
    world.leave()
    later = World(Engine(make_config(), "n"), world.broker, mono_s=5.0, wall_s=world.wall_s + step_s)
    later.connect()
    for port, name in enumerate(ADDRESSES, 1):
        later.poll(name, "203.0.113.200", port)
    later.wait(60)
    assert all(later.table_of(name).seq > before[name] for name in ADDRESSES)


def test_malformed_retained_table_is_one_warning_and_replaced() -> None:
    world = make_serving()
    world.retained["wgmqtt/v1/berlin/endpoints"] = b"nonsense"
    world.lose_broker()
    world.wait(5)
    assert world.warnings == ["broker connection lost", "retained table malformed, replacing it"]
    assert world.endpoint_in("berlin", "cologne") == f"{ADDRESSES['cologne']}:51820"


@pytest.mark.parametrize("seq", ["9" * 20, "9" * 19, str(10**14)])
def test_forged_retained_seq_far_ahead_of_the_clock_is_replaced_and_never_continued(seq: str) -> None:
    """The handler rejects a seq of more than 20 digits: after 20 nines no table would be accepted any more."""
    world = make_serving()
    for name in ADDRESSES:
        topic = f"wgmqtt/v1/{name}/endpoints"
        body = json.loads(world.retained[topic])
        world.retained[topic] = json.dumps(body | {"seq": seq}).encode()
    world.lose_broker()
    world.wait(5)
    assert {name for name, _ in world.published} == ADDRESSES.keys()
    world.poll("berlin", "203.0.113.99")
    world.wait(5)
    clock_ms = int((world.wall_s + world.mono_s) * 1000)
    assert all(clock_ms - 60_000 < world.table_of(name).seq <= clock_ms for name in ADDRESSES)


def test_retained_seq_of_a_hub_whose_clock_starts_in_1970_is_continued() -> None:
    world = make_serving()
    before = {name: world.table_of(name).seq for name in ADDRESSES}
    world.leave()
    later = World(Engine(make_config(), "n"), world.broker, mono_s=5.0, wall_s=0.0)
    later.connect()
    later.poll("berlin", "203.0.113.99")
    later.poll("cologne", ADDRESSES["cologne"])
    later.wait(5)
    assert later.warnings == []
    assert later.table_of("cologne").seq > before["cologne"]
