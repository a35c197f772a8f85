"""No link costs a metered line more bytes per day than docs/troubleshooting.md states."""

import json

from tests.engine import metered_line
from tests.engine.world import World, make_config, make_world
from wgmqtt.engine.events import Reported

DAY_S = 86_400.0
NAMES = ("berlin", *(f"peer-{number}" for number in range(10)))
HOPELESS = "peer-0"
MAX_FIRST_DAY, MAX_LATER_DAY, MAX_NEWS, MAX_IDLE = 100_000, 45_000, 20_000, 80_000
TOPICS = make_world().state.directory.topics


def whole_report(world: World, stage: str, *, direct: bool) -> bytes:
    """Return berlin's report about all its peers, as the script writes it."""
    lines = []
    for number, peer in enumerate(world.table_of("berlin").peers):
        is_direct = direct or peer.name != HOPELESS
        lines.append(
            {
                "configured": f"203.0.113.1{number} 51820",
                "current": f"203.0.113.1{number} 51820",
                "did": "same",
                "handshake_s": "00:01:59" if is_direct else "",
                "key": str(peer.key),
                "rx": str(100_000_000 + (stage == "final") * is_direct * 100),
            }
        )
    head = {
        "caps": ["ping"],
        "error": "",
        "routeros": "7.20.8 (stable)",
        "script": "0.1.0 348b2326",
        "seq": str(world.table_of("berlin").seq),
        "stage": stage,
        "v": 1,
        "peers": lines,
    }
    return json.dumps(head, separators=(",", ":")).encode()


def bytes_of(world: World, seconds: float, *, direct: bool) -> int:
    """Let so much time pass while berlin answers every table; return the bytes that passed its line."""
    end_s, total, seen = world.mono_s + seconds, 0, world.table_of("berlin").seq
    while world.mono_s < end_s:
        world.wait(max(1.0, world.wake_s - world.mono_s))
        table = world.table_of("berlin")
        if table.seq == seen:
            continue
        seen = table.seq
        total += metered_line.message(TOPICS.endpoints("berlin"), world.retained[TOPICS.endpoints("berlin")])
        is_attempt = any(peer.kick for peer in table.peers)
        total += metered_line.attempt() if is_attempt and not direct else 0
        for stage in ("applied", "final") if is_attempt else ("final",):
            payload = whole_report(world, stage, direct=direct)
            total += metered_line.message(TOPICS.report("berlin"), payload)
            world.step(Reported(world.generation, "berlin", payload))
            world.deliver()
    return total


def idle_report(world: World, name: str, stage: str) -> bytes:
    """Return a router's report about links that carry a packet only when both ends are asked to send."""
    peers = world.table_of(name).peers
    handshakes = ("00:00:03" if peer.kick else "05:00:00" for peer in peers)
    counted = (str(100_000_000 + (stage == "final" and peer.kick) * 100) for peer in peers)
    lines = [
        {
            "configured": "203.0.113.10 51820",
            "current": "203.0.113.10 51820",
            "did": "same",
            "handshake_s": handshake_s,
            "key": str(peer.key),
            "rx": rx,
        }
        for peer, handshake_s, rx in zip(peers, handshakes, counted, strict=True)
    ]
    body = json.loads(whole_report(world, stage, direct=True)) | {"seq": str(world.table_of(name).seq), "peers": lines}
    return json.dumps(body, separators=(",", ":")).encode()


def idle_bytes(world: World, seconds: float) -> int:
    """Let so much time pass while all answer every table; return the bytes that passed berlin's line."""
    end_s, total, seen = world.mono_s + seconds, 0, {name: world.table_of(name).seq for name in NAMES}
    while world.mono_s < end_s:
        world.wait(max(1.0, world.wake_s - world.mono_s))
        for name in NAMES:
            table = world.table_of(name)
            if table.seq == seen[name]:
                continue
            seen[name] = table.seq
            retained = world.retained[TOPICS.endpoints(name)]
            total += metered_line.message(TOPICS.endpoints(name), retained) * (name == "berlin")
            for stage in ("applied", "final") if any(peer.kick for peer in table.peers) else ("final",):
                payload = idle_report(world, name, stage)
                total += metered_line.message(TOPICS.report(name), payload) * (name == "berlin")
                world.step(Reported(world.generation, name, payload))
                world.deliver()
    return total


def make_star() -> World:
    """Return berlin and ten others linked to it, whose tables were just published."""
    world = make_world(make_config(NAMES, tuple(("berlin", name) for name in NAMES[1:])))
    world.connect()
    for number, name in enumerate(NAMES):
        world.poll(name, f"203.0.113.1{number}")
    world.wait(1)
    return world


def test_hopeless_link_of_a_router_with_ten_links_costs_at_most_what_is_documented() -> None:
    works, hopeless = make_star(), make_star()
    bytes_of(works, 60.0, direct=True)
    news = bytes_of(works, DAY_S, direct=True)
    first, later = (bytes_of(hopeless, DAY_S, direct=False) - news for _ in range(2))
    assert MAX_NEWS / 2 < news <= MAX_NEWS
    assert MAX_FIRST_DAY / 2 < first <= MAX_FIRST_DAY
    assert MAX_LATER_DAY / 2 < later <= MAX_LATER_DAY


def test_ten_idle_links_cost_at_most_what_is_documented() -> None:
    world = make_star()
    bytes_of(world, 60.0, direct=True)
    assert MAX_IDLE / 2 < idle_bytes(world, DAY_S) <= MAX_IDLE
