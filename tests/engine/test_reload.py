"""A new configuration is taken as a difference; topics of routers that are gone are cleared."""

from collections.abc import Mapping
from dataclasses import fields, replace

from tests.engine.world import WALL_S, World, key_of, make_config, make_world
from wgmqtt.engine.deadlines import Deadlines
from wgmqtt.engine.engine import Engine
from wgmqtt.engine.events import FreezeChecked, InterfaceFailed, PeersPolled, Reconfigured
from wgmqtt.model import Config, Endpoint, PeerState, link_of
from wgmqtt.wire.hub import decode_status

NAMES = ("berlin", "cologne", "dresden")
ADDRESSES = {name: f"203.0.113.{number}" for number, name in enumerate(NAMES, 1)}
STATUS = "wgmqtt/v1/hub/hub1/status"


def make_serving(config: Config | None = None) -> World:
    """Return an active daemon that has polled every router and published every table."""
    world = make_world(config)
    world.connect()
    for name, address in ADDRESSES.items():
        world.poll(name, address)
        world.deliver()
    calm(world)
    return world


def calm(world: World) -> None:
    """Let everything pending finish, and forget what was published until now."""
    world.wait(60)
    world.published.clear()
    world.sent.clear()


def successor(world: World, config: Config) -> World:
    """Return another daemon on the same broker, after the first one has stopped."""
    world.leave()
    later = World(Engine(config, "n"), world.broker, mono_s=world.mono_s)
    later.connect()
    later.wait(5)
    return later


def names_in(world: World, router: str) -> list[str]:
    """Return the peers of a router's table."""
    return [peer.name for peer in world.table_of(router).peers]


def topics_of(router: str, prefix: str = "wgmqtt/v1") -> set[str]:
    return {f"{prefix}/{router}/{kind}" for kind in ("endpoints", "report", "online")}


def cleared(world: World) -> set[str]:
    return {message.topic for message in world.sent if not message.payload}


def test_same_configuration_again_publishes_no_table() -> None:
    world = make_serving()
    world.step(Reconfigured(make_config()))
    world.wait(60)
    assert (world.published, world.phase) == ([], "ready")


def test_link_removed_only_its_two_ends_get_a_table() -> None:
    world = make_serving()
    world.step(Reconfigured(make_config(links=(("berlin", "cologne"), ("cologne", "dresden")))))
    world.wait(60)
    assert {name for name, _ in world.published} == {"berlin", "dresden"}
    assert names_in(world, "berlin") == ["cologne"]
    assert names_in(world, "cologne") == ["berlin", "dresden"]


def test_link_added_both_ends_get_endpoints_and_are_asked_to_send() -> None:
    world = make_serving(make_config(links=(("berlin", "cologne"),)))
    world.step(Reconfigured(make_config(links=(("berlin", "cologne"), ("cologne", "dresden")))))
    world.wait(5)
    assert {name for name, _ in world.published} == {"cologne", "dresden"}
    first = dict(reversed(world.published))
    assert next(peer for peer in first["dresden"].peers if peer.name == "cologne").kick
    assert world.endpoint_in("dresden", "cologne") == f"{ADDRESSES['cologne']}:51820"


def test_router_removed_its_topics_are_cleared_and_its_neighbours_get_tables() -> None:
    world = make_serving()
    world.retained["wgmqtt/v1/berlin/report"] = b"{}"
    world.step(Reconfigured(make_config(("cologne", "dresden"))))
    world.wait(60)
    assert cleared(world) == topics_of("berlin")
    assert not topics_of("berlin") & set(world.retained)
    assert {name for name, _ in world.published} == {"cologne", "dresden"}
    assert world.logged.count("router no longer configured, clearing its topics") == 1
    calm(world)
    world.step(Reconfigured(make_config(("cologne", "dresden"))))
    world.wait(60)
    assert cleared(world) == set(), "once is enough"


def test_router_removed_while_the_daemon_was_off_its_topics_are_cleared() -> None:
    later = successor(make_serving(), make_config(("cologne", "dresden")))
    assert cleared(later) == topics_of("berlin")
    assert not topics_of("berlin") & set(later.retained)


def test_router_removed_while_frozen_its_topics_stay_until_unfrozen() -> None:
    world = make_serving()
    world.step(FreezeChecked(is_frozen=True))
    world.step(Reconfigured(make_config(("cologne", "dresden"))))
    world.wait(60)
    assert cleared(world) == set()
    world.leave()
    later = World(Engine(make_config(("cologne", "dresden")), "n"), world.broker)
    later.step(FreezeChecked(is_frozen=True))
    later.connect()
    later.wait(60)
    assert cleared(later) == set()
    later.step(FreezeChecked(is_frozen=False))
    later.wait(5)
    assert cleared(later) == topics_of("berlin")


def test_router_added_again_gets_its_table_again() -> None:
    world = make_serving()
    world.step(Reconfigured(make_config(("cologne", "dresden"))))
    world.wait(5)
    world.step(Reconfigured(make_config()))
    world.step(PeersPolled("wg0", tuple(peer_state(name) for name in NAMES)))  # each interface is polled again
    world.wait(5)
    assert world.endpoint_in("berlin", "cologne") == f"{ADDRESSES['cologne']}:51820"
    assert world.endpoint_in("cologne", "berlin") == f"{ADDRESSES['berlin']}:51820"


def peer_state(name: str, key: str = "") -> PeerState:
    return PeerState(key_of(key or name), Endpoint(ADDRESSES[name], 51820), WALL_S, is_heard=True)


def test_renamed_router_gets_its_table_under_the_new_name_and_the_old_topics_are_cleared() -> None:
    world = make_serving()
    old = make_config()
    routers = tuple(replace(each, name="aachen") if each.name == "berlin" else each for each in old.routers)
    links = frozenset(link for link in make_config(("aachen", "cologne", "dresden")).links)
    world.step(Reconfigured(replace(old, routers=routers, links=links)))
    world.step(PeersPolled("wg0", tuple(peer_state(name) for name in NAMES)))
    world.wait(5)
    assert cleared(world) == topics_of("berlin")
    assert world.endpoint_in("aachen", "cologne") == f"{ADDRESSES['cologne']}:51820"
    assert world.endpoint_in("cologne", "aachen") == f"{ADDRESSES['berlin']}:51820"


def test_replaced_router_its_neighbours_get_the_new_key_and_endpoint() -> None:
    world = make_serving()
    old = make_config()
    routers = tuple(replace(each, key=key_of("spare")) if each.name == "berlin" else each for each in old.routers)
    world.step(Reconfigured(replace(old, routers=routers)))
    world.wait(2)
    line = next(peer for peer in world.table_of("cologne").peers if peer.name == "berlin")
    assert (line.key, line.endpoint) == (key_of("spare"), None), (
        "the endpoint of the old router is not that of the new one"
    )
    world.step(
        PeersPolled("wg0", (PeerState(key_of("spare"), Endpoint("203.0.113.77", 51820), WALL_S, is_heard=True),))
    )
    world.wait(2)
    line = next(peer for peer in world.table_of("cologne").peers if peer.name == "berlin")
    assert (line.key, str(line.endpoint), line.kick) == (key_of("spare"), "203.0.113.77:51820", True)
    assert cleared(world) == set()


def test_replaced_router_at_the_old_endpoint_both_ends_are_asked_to_send() -> None:
    world = make_serving()
    old = make_config()
    routers = tuple(replace(each, key=key_of("spare")) if each.name == "berlin" else each for each in old.routers)
    world.step(Reconfigured(replace(old, routers=routers)))
    world.step(PeersPolled("wg0", (peer_state("berlin", "spare"),)))  # before the broker was read back
    world.wait(2)
    line = next(peer for peer in world.table_of("cologne").peers if peer.name == "berlin")
    assert (line.key, str(line.endpoint), line.kick) == (key_of("spare"), f"{ADDRESSES['berlin']}:51820", True)


def test_other_prefix_everything_is_published_there_and_the_old_topics_are_cleared() -> None:
    world = make_serving()
    world.step(Reconfigured(replace(make_config(), prefix="other")))
    world.wait(60)
    assert [topic for topic in world.retained if topic.startswith("wgmqtt/v1/")] == []
    assert {f"other/{name}/endpoints" for name in NAMES} <= set(world.retained)
    assert "other/hub/hub1/online" in world.retained


def test_other_hub_name_only_the_topics_of_the_hub_move() -> None:
    world = make_serving()
    hub = replace(make_config().hub, name="hub2")
    world.step(Reconfigured(replace(make_config(), hub=hub)))
    world.wait(60)
    assert {topic.split("/")[3] for topic in world.retained if "/hub/" in topic} == {"hub2"}
    assert not any(cleared(world) & topics_of(name) for name in NAMES)


def test_other_prefix_while_frozen_keeps_the_tables() -> None:
    world = make_serving()
    world.step(FreezeChecked(is_frozen=True))
    world.step(Reconfigured(replace(make_config(), prefix="other")))
    world.wait(60)
    assert {f"wgmqtt/v1/{name}/endpoints" for name in NAMES} <= set(world.retained)


def test_reconfigured_while_changes_are_damped_publishes_the_rest_later() -> None:
    """A pending change may belong to a router that is no longer configured when its time comes."""
    world = make_serving()
    for port in range(1, 9):
        world.poll("berlin", ADDRESSES["berlin"], port)
        world.poll("cologne", ADDRESSES["cologne"], port)
        world.deliver()
    world.step(Reconfigured(make_config(("cologne", "dresden"))))
    world.wait(7200)
    assert world.endpoint_in("dresden", "cologne") == f"{ADDRESSES['cologne']}:8"


def test_router_removed_nothing_is_kept_of_it() -> None:
    world = make_serving()
    world.poll("berlin", ADDRESSES["berlin"], 5)
    world.poll("berlin", ADDRESSES["berlin"], 6)
    world.answer("berlin")
    world.step(Reconfigured(make_config(("cologne", "dresden"))))
    known = [getattr(world.state, each.name) for each in fields(world.state)]
    keys = {key for part in known if isinstance(part, Mapping | Deadlines | set) for key in part}
    left = {link_of("cologne", "dresden"), *("cologne", "dresden"), *(key_of(name).raw for name in NAMES[1:])}
    assert keys
    assert keys <= left


def test_interface_removed_its_peers_and_its_trouble_are_forgotten() -> None:
    world = make_serving()
    world.step(InterfaceFailed("wg0", "gone"))
    hub = replace(make_config().hub, interfaces=("wg1",))
    world.step(Reconfigured(replace(make_config(), hub=hub)))
    assert [record.peer for record in world.state.routers.values()] == [None] * len(NAMES)
    assert world.state.failed_interfaces == set()
    world.wait(60)
    assert world.published == [], "nothing is withdrawn"


def test_status_names_the_managed_routers() -> None:
    world = make_serving()
    status = decode_status(world.retained[STATUS], STATUS)
    assert status is not None
    assert status.managed == NAMES
    assert not status.is_frozen
