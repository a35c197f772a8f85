"""The session's table against the engine: every signal in every phase, made by real events."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from tests.engine.world import World, make_config, make_world
from wgmqtt.engine.effects import (
    CloseBroker,
    Effect,
    OpenBroker,
    PublishStatus,
    ReadRetained,
)
from wgmqtt.engine.events import BrokerDown, BrokerUp, Event, HubMessage, ReadBack, Reconfigured, Woken
from wgmqtt.engine.session import TRANSITIONS, Action, Kind
from wgmqtt.engine.state import Phase
from wgmqtt.wire.hub import Online, encode_online

ENGINE = Path(__file__).parents[2] / "wgmqtt" / "engine"
PHASES: tuple[Phase, ...] = get_args(Phase)
KINDS: tuple[Kind, ...] = get_args(Kind)
ONLINE, WHO = "wgmqtt/v1/hub/hub1/online", "wgmqtt/v1/hub/hub1/who"
RIVAL, LATER = "a", "z"  # the world's own instance is m: the smaller one stays
SESSION_EFFECTS = OpenBroker | CloseBroker | ReadRetained | PublishStatus
HAS_GENERATION: tuple[Kind, ...] = ("up", "down", "free", "claimed", "rival", "overwritten")


def online(instance: str) -> bytes:
    return encode_online(Online(is_online=True, instance=instance))


def pass_on(world: World, event_type: type[Event]) -> None:
    """Let messages arrive until one of this kind has."""
    while not isinstance(world.waiting[0], event_type):
        world.next()
    world.next()


def make_closed() -> World:
    world = make_world()
    world.reachable = False
    world.connect()
    return world


def make_opening() -> World:
    world = make_closed()
    world.mono_s = world.wake_s
    world.step(Woken())
    return world


def make_reading() -> World:
    world = make_world()
    world.step(Woken())
    pass_on(world, BrokerUp)
    return world


def make_asking() -> World:
    world = make_world()
    world.retained[ONLINE] = online(RIVAL)
    world.step(Woken())
    pass_on(world, ReadBack)
    return world


def make_ready() -> World:
    """Return a ready session of which everything can happen: it failed before, so it is not confirmed yet."""
    world = make_world()
    world.connect()
    world.lose_broker()
    world.mono_s = world.wake_s
    world.step(Woken())
    world.deliver()
    return world


MAKE: dict[Phase, Callable[[], World]] = {
    "closed": make_closed,
    "opening": make_opening,
    "reading": make_reading,
    "asking": make_asking,
    "ready": make_ready,
}


def wake_after_deadline(world: World) -> Event:
    world.mono_s = max(world.mono_s, world.state.session.deadline_s)
    world.state.status_s = world.mono_s + 1.0  # the status has a deadline of its own
    return Woken()


def leave_unacked(world: World) -> Event:
    world.state.in_flight_s["berlin"] = world.mono_s
    world.mono_s += 10.0
    return Woken()


def let_reread_come(world: World) -> Event:
    world.state.session.reread_s = world.mono_s
    return Woken()


CAUSES: dict[Kind, Callable[[World], Event]] = {
    "due": wake_after_deadline,
    "unacked": leave_unacked,
    "reread": let_reread_come,
    "renew": lambda _: Reconfigured(make_config()),
    "up": lambda world: BrokerUp(world.generation),
    "down": lambda world: BrokerDown(world.generation, "gone"),
    "free": lambda world: ReadBack(world.generation, {}),
    "claimed": lambda world: ReadBack(world.generation, {ONLINE: online(LATER)}),
    "rival": lambda world: HubMessage(world.generation, ONLINE, online(RIVAL)),
    "overwritten": lambda world: HubMessage(world.generation, ONLINE, online(LATER)),
}


@dataclass(frozen=True)
class Outcome:
    """What an action is known by: the kinds of its effects, but for lines of the log and the wake-up."""

    effects: set[type[Effect]]
    phrase: str = ""


OUTCOMES: dict[Action, Outcome] = {
    "open": Outcome({OpenBroker}),
    "read": Outcome({ReadRetained}),
    "read_again": Outcome({ReadRetained}, "no other daemon answered, taking over"),
    "ask": Outcome({PublishStatus}),
    "serve": Outcome({PublishStatus}, "broker ready"),
    "confirm": Outcome(set()),
    "restate": Outcome({PublishStatus}),
    "fail": Outcome(set(), "broker "),
    "give_up": Outcome({CloseBroker}, "broker "),
    "stand_by": Outcome({CloseBroker}, "another daemon is active for this hub, standing by"),
    "reconnect": Outcome({CloseBroker}),
}


def outcome_of(phase: Phase, action: Action) -> Outcome:
    """Return what an action does from a phase: without a connection there is none to close."""
    if (phase, action) == ("closed", "reconnect"):
        return Outcome(set())
    if (phase, action) == ("ready", "stand_by"):
        return Outcome({CloseBroker, PublishStatus}, OUTCOMES[action].phrase)
    return OUTCOMES[action]


def is_unambiguous(phase: Phase, kind: Kind) -> bool:
    """Return whether the cause of a signal is no other signal in this phase: an asking daemon takes both as a rival."""
    return (phase, kind) != ("asking", "overwritten")


@pytest.mark.parametrize("phase", PHASES)
def test_phase_is_reached_by_real_events(phase: Phase) -> None:
    assert MAKE[phase]().phase == phase


@pytest.mark.parametrize(
    ("phase", "kind"), [(phase, kind) for phase in PHASES for kind in KINDS if is_unambiguous(phase, kind)]
)
def test_signal_in_a_phase_does_what_the_table_says(phase: Phase, kind: Kind) -> None:
    world = MAKE[phase]()
    event = CAUSES[kind](world)
    generation = world.state.session.generation
    before_s = world.state.session.deadline_s
    world.logged.clear()
    effects = [effect for effect in world.engine.handle(event, world.now) if isinstance(effect, SESSION_EFFECTS)]
    if (phase, kind) not in TRANSITIONS:
        assert world.phase == phase
        assert world.state.session.generation == generation
        assert world.state.session.deadline_s == before_s
        assert effects == []
        return
    after, action = TRANSITIONS[phase, kind]
    assert world.phase == after
    assert {type(effect) for effect in effects} == outcome_of(phase, action).effects
    assert world.state.session.generation == generation + (action == "open")


@pytest.mark.parametrize(("phase", "kind"), [key for key in TRANSITIONS if OUTCOMES[TRANSITIONS[key][1]].phrase])
def test_action_writes_its_line(phase: Phase, kind: Kind) -> None:
    world = MAKE[phase]()
    event = CAUSES[kind](world)
    world.logged.clear()
    world.step(event)
    expected = OUTCOMES[TRANSITIONS[phase, kind][1]].phrase
    assert any(line.startswith(expected) for line in world.logged)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("kind", HAS_GENERATION)
@pytest.mark.parametrize("older_by", [1, -1])
def test_event_of_another_generation_changes_nothing(phase: Phase, kind: Kind, older_by: int) -> None:
    world = MAKE[phase]()
    world.generation -= older_by
    before = repr(world.state)
    effects = world.engine.handle(CAUSES[kind](world), world.now)
    assert repr(world.state) == before
    assert len(effects) == 1


def test_only_session_changes_the_phase() -> None:
    assigned = {
        path.name
        for path in ENGINE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "phase" and isinstance(node.ctx, ast.Store)
    }
    assert assigned == {"session.py"}


def test_every_phase_can_be_left_and_every_action_is_used() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(PHASES)
    assert {action for _, action in TRANSITIONS.values()} == set(get_args(Action))
    assert all((phase, "renew") in TRANSITIONS for phase in PHASES)
    assert {kind for _, kind in TRANSITIONS} == set(KINDS)
