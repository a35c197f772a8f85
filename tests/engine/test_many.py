"""Thousands of routers at once: no line for each, and a broker that takes its time is not given up."""

from dataclasses import replace

from tests.engine.world import make_config
from wgmqtt import engine, outbox
from wgmqtt.effects import MANY, Effect, Say, WakeAt, abridge, say
from wgmqtt.events import Acked, Now
from wgmqtt.state import Outbox, State
from wgmqtt.wire import Table


def test_few_lines_stay_as_they_are() -> None:
    effects: list[Effect] = [say("info", "table published", router=str(number)) for number in range(MANY)]
    assert abridge(effects, "tables published") == effects


def test_many_lines_become_debug_and_one_says_how_many() -> None:
    lines = [say("info", "table published", router=str(number)) for number in range(MANY + 1)]
    warning = say("warning", "something else")
    wake = WakeAt(1.0)
    quiet = [replace(line, level="debug") for line in lines]
    assert abridge([*lines, warning, wake], "tables published") == [
        *quiet,
        warning,
        wake,
        say("info", "tables published", count=MANY + 1),
    ]
    assert all(isinstance(each, Say) for each in quiet)


def in_flight(*names: str) -> State:
    """Return a state in which each of these was sent a table at 100 s."""
    state = engine.start(make_config(names), "a")
    boxes = {name: Outbox(in_flight=Table("hub1", 1, None, ())) for name in names}
    return replace(state, outboxes=boxes, sent_s=dict.fromkeys(names, 100.0))


def test_broker_that_acknowledges_one_after_the_other_has_as_long_for_each() -> None:
    state = in_flight("berlin", "cologne", "dresden")
    assert outbox.oldest_sent_s(state) == 100.0
    for at_s, name in ((108.0, "cologne"), (117.0, "berlin")):
        state, _ = outbox.acked(state, Acked(0, name, 1), Now(at_s, at_s))
        assert outbox.oldest_sent_s(state) == at_s
    state, _ = outbox.acked(state, Acked(0, "dresden", 1), Now(118.0, 118.0))
    assert outbox.oldest_sent_s(state) is None
