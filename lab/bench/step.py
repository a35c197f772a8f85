"""`step`: the CPU time in which the engine handles one move, alone, with 100 routers and with 10,000.

Routers are linked in groups of four, all of them known and published. One after the other has a new endpoint, which the
engine answers with four tables; their acknowledgements are handled between two samples and not counted. No broker, no
WireGuard, no network: this shows that a step costs what it concerns.
"""

import gc
import time
from ipaddress import ip_network
from statistics import median

from lab.bench.figures import OURS, Figure, Result, Series
from wgmqtt.engine.effects import Effect, OpenBroker, PublishTable, ReadRetained
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import Acked, BrokerUp, Event, Now, PeersPolled, ReadBack, Woken
from wgmqtt.model import BrokerAddress, Config, Endpoint, Hub, PeerState, PublicKey, Router, link_of

NAME = "step"
SIZES = (100, 10_000)
MESH = 4
MOVES, QUICK_MOVES = 3_000, 1_000
MOST_RATIO = 1.3
BEGIN_S = 1_000.0
WALL_S = 1_700_000_000.0
PAUSE_S = 61.0 * 60.0 / 37  # between two moves, so that no router is held back by flap damping


def run(*, quick: bool) -> Result:
    """Measure each size; a ratio of the medians over `MOST_RATIO` is a failure."""
    figures = measure(QUICK_MOVES if quick else MOVES)
    ratio = figures[-1].median / figures[0].median
    figures.append(Series(NAME, OURS, SIZES[-1], f"ratio_to_{SIZES[0]}", "%", [100 * ratio]).figure())
    print(f"   {SIZES[-1]} routers: {ratio:.2f} times the CPU time of {SIZES[0]}", flush=True)
    failures = [f"ratio {ratio:.2f} is over {MOST_RATIO}"] if ratio > MOST_RATIO else []
    return Result(figures, failures)


def measure(moves: int) -> list[Figure]:
    """Return the CPU time of one move in microseconds, for each size. The sizes take turns, move by move.

    So whatever else this machine does slows all of them down alike.
    """
    hubs = {size: _Hub(size) for size in SIZES}
    gc.collect()
    gc.freeze()  # the collector's passes over what was made before are not the engine's
    samples: dict[int, list[float]] = {size: [] for size in SIZES}
    for number in range(moves):
        for size, hub in hubs.items():
            samples[size].append(hub.move(number))
    assert all(median(hub.tables) == MESH for hub in hubs.values())
    return [Series(NAME, OURS, size, "cpu_of_one_move", "us", samples[size]).figure() for size in SIZES]


class _Hub:
    """An engine with so many routers, all of them published."""

    def __init__(self, size: int) -> None:
        self._config = make_config(size)
        self._engine = Engine(self._config, "bench")
        self._mono_s = BEGIN_S
        self.tables: list[int] = []
        self._answer(self._handle(Woken()))
        peers = tuple(self._peer(number, 1000 + number) for number in range(size))
        self._answer(self._handle(PeersPolled("wg0", peers)))

    def move(self, number: int) -> float:
        """Let one router have a new endpoint; return the CPU time of that step in microseconds."""
        self._mono_s += PAUSE_S
        index = number * 37 % len(self._config.routers)
        event = PeersPolled("wg0", (self._peer(index, 20_000 + number),))
        now = Now(self._mono_s, WALL_S + self._mono_s)
        begun_ns = time.thread_time_ns()
        effects = self._engine.handle(event, now)
        used_us = (time.thread_time_ns() - begun_ns) / 1000
        self.tables.append(sum(isinstance(effect, PublishTable) for effect in effects))
        self._answer(effects)
        return used_us

    def _peer(self, index: int, port: int) -> PeerState:
        key, endpoint = self._config.routers[index].key, Endpoint("203.0.113.9", port)
        return PeerState(key, endpoint, WALL_S + self._mono_s, is_heard=True)

    def _handle(self, event: Event) -> list[Effect]:
        return self._engine.handle(event, Now(self._mono_s, WALL_S + self._mono_s))

    def _answer(self, effects: list[Effect]) -> None:
        """Answer as a broker does that retains nothing yet, until nothing is left to answer."""
        while effects:
            follow = list[Effect]()
            for effect in effects:
                match effect:
                    case OpenBroker(generation):
                        follow += self._handle(BrokerUp(generation))
                    case ReadRetained(generation):
                        follow += self._handle(ReadBack(generation, {}))
                    case PublishTable(generation, router, _, _, seq):
                        follow += self._handle(Acked(generation, router, seq))
            effects = follow


def make_config(size: int) -> Config:
    """Return a configuration of so many routers in groups of `MESH`, each linked to all of its group."""
    routers = tuple(
        Router(f"r{number:05}", PublicKey(number.to_bytes(32, "big")), (7, 20), "wireguard1", f"10.98.0.{number % 250}")
        for number in range(size)
    )
    groups = [routers[start : start + MESH] for start in range(0, size, MESH)]
    pairs = {link_of(one.name, two.name) for group in groups for one in group for two in group if one.name < two.name}
    address = BrokerAddress("10.99.0.1")
    return Config(
        hub=Hub("hub1", ("wg0",), PublicKey(b"\1" * 32), "10.99.0.1"),
        broker=address,
        broker_for_routers=address,
        username="hub",
        password_file="",
        router_password_dir="",
        prefix="wgmqtt/v1",
        routers=routers,
        links=frozenset(pairs),
        also_publish=(ip_network("203.0.113.0/24"),),
    )
