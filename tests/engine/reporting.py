"""Reports as routers send them, and the status that the hub makes of them."""

import json

from tests.engine.world import World, key_of
from wgmqtt.engine import outbox, status
from wgmqtt.engine.effects import PublishStatus
from wgmqtt.engine.events import Now, Reported
from wgmqtt.engine.state import State
from wgmqtt.engine.step import Step
from wgmqtt.wire.hub import HubStatus, decode_status

SCRIPT = "1.0 0123abcd"


def line(of: str, did: str = "same", configured: str = "", current: str = "", **others: str) -> dict[str, str]:
    """Return the line of a report about one peer; endpoints are `address port`."""
    there = {"configured": configured, "current": current or configured, "handshake_s": "00:00:00", "rx": "0"}
    return {"key": str(key_of(of)), "did": did, **there, **others}


def report(world: World, name: str, *lines: dict[str, str], stage: str = "final", **others: object) -> None:
    """Let a router report on its newest table."""
    seq = str(world.table_of(name).seq)
    body = {"v": 1, "seq": seq, "stage": stage, "script": SCRIPT, "error": "", "peers": lines, **others}
    world.step(Reported(world.generation, name, json.dumps(body).encode()))
    world.deliver()


def ask_again(world: World, name: str) -> None:
    """Let a router's table be published again with the same content."""
    world.state.routers[name].is_owed = True
    step = Step(world.now, tables={name})
    outbox.settle(world.state, step)
    world.carry_out(step.effects)
    world.deliver()


def make_status(state: State, moment: Now) -> HubStatus:
    """Return the status that the hub publishes, decoded."""
    step = Step(moment)
    status.publish(state, step)
    (effect,) = step.effects
    assert isinstance(effect, PublishStatus)
    decoded = decode_status(effect.payload, effect.topic)
    assert decoded is not None
    return decoded
