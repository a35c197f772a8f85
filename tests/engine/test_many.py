"""Thousands of routers at once: no log line for each, and a slow broker is not given up."""

import math
from dataclasses import replace

from tests.engine.world import WALL_S, World, key_of, make_config, make_world
from wgmqtt import phrases
from wgmqtt.engine import outbox
from wgmqtt.engine.effects import MANY, Effect, WakeAt, abridge
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import Acked, FreezeChecked, Now, PeersPolled
from wgmqtt.engine.state import State
from wgmqtt.engine.step import Step
from wgmqtt.logline import Say, say
from wgmqtt.model import Endpoint, PeerState
from wgmqtt.wire.table import Table


def test_few_lines_are_not_abridged() -> None:
    effects: list[Effect] = [say(phrases.TABLE_PUBLISHED, router=str(number)) for number in range(MANY)]
    assert abridge(effects, phrases.TABLES_PUBLISHED) == effects


def test_many_lines_become_debug_and_one_line_has_their_number() -> None:
    lines = [say(phrases.TABLE_PUBLISHED, router=str(number)) for number in range(MANY + 1)]
    warning = say(phrases.REPORT_MALFORMED)
    wake = WakeAt(1.0)
    quiet = [replace(line, level="debug") for line in lines]
    assert abridge([*lines, warning, wake], phrases.TABLES_PUBLISHED) == [
        *quiet,
        warning,
        wake,
        say(phrases.TABLES_PUBLISHED, count=MANY + 1),
    ]
    assert all(isinstance(each, Say) for each in quiet)


def in_flight(*names: str) -> State:
    """Return a state in which each of these was sent a table at 100 s."""
    state = Engine(make_config(names), "a").state
    for name in names:
        state.routers[name].in_flight = Table("hub1", 1, None, ())
        state.in_flight_s[name] = 100.0
    return state


def test_broker_that_acknowledges_slowly_has_the_whole_timeout_for_each_table() -> None:
    state = in_flight("berlin", "cologne", "dresden")
    assert outbox.unacknowledged_since_s(state) == 100.0
    for at_s, name in ((108.0, "cologne"), (117.0, "berlin")):
        outbox.acked(state, Step(Now(at_s, at_s)), Acked(0, name, 1))
        assert outbox.unacknowledged_since_s(state) == at_s
    outbox.acked(state, Step(Now(118.0, 118.0)), Acked(0, "dresden", 1))
    assert outbox.unacknowledged_since_s(state) == math.inf


def make_many(count: int) -> tuple[World, PeersPolled]:
    """Return a world of so many routers, linked in pairs, and the poll that shows all of them."""
    names = tuple(f"r{number:03}" for number in range(count))
    world = make_world(make_config(names, tuple(zip(names[::2], names[1::2], strict=True))))
    world.connect()
    seen = [
        PeerState(key_of(name), Endpoint("203.0.113.9", 1000 + at), WALL_S, is_heard=True)
        for at, name in enumerate(names)
    ]
    return world, PeersPolled("wg0", tuple(seen))


def test_many_tables_are_published_in_batches_and_each_router_gets_one() -> None:
    world, poll = make_many(2 * outbox.MOST_IN_FLIGHT + 100)
    world.step(poll)
    while world.waiting:
        assert len(world.state.in_flight_s) <= outbox.MOST_IN_FLIGHT
        world.next()
    names = sorted(world.state.directory.by_name)
    assert sorted(router for router, _ in world.published) == names
    assert all(table.peers[0].endpoint is not None and table.peers[0].kick for _, table in world.published)
    assert not world.state.queue


def test_connection_lost_between_batches_the_next_one_publishes_the_rest() -> None:
    world, poll = make_many(outbox.MOST_IN_FLIGHT + 100)
    world.step(poll)
    for _ in range(outbox.MOST_IN_FLIGHT):
        world.next()
    world.lose_broker()
    world.wait(60)
    assert not world.state.queue
    for first, second in zip(*(sorted(world.state.directory.by_name)[at::2] for at in (0, 1)), strict=True):
        assert world.endpoint_in(first, second) != "None"
        assert world.endpoint_in(second, first) != "None"


def test_frozen_between_batches_publishes_nothing_more_until_unfrozen() -> None:
    world, poll = make_many(outbox.MOST_IN_FLIGHT + 100)
    world.step(poll)
    world.step(FreezeChecked(is_frozen=True))
    world.deliver()
    assert len(world.published) == outbox.MOST_IN_FLIGHT
    world.step(FreezeChecked(is_frozen=False))
    world.wait(60)
    assert {router for router, _ in world.published} == world.state.directory.by_name.keys()
