"""The engine from outside: which table is published when, and which is not."""

from copy import deepcopy

from tests.engine.world import WALL_S, World, key_of, make_config, make_world
from wgmqtt.engine.events import BrokerUp, PeersPolled, Reported
from wgmqtt.model import Endpoint, PeerState


def make_settled() -> World:
    """Return a world in which all three routers were polled and have their tables."""
    world = make_world()
    world.connect()
    for number, name in enumerate(("berlin", "cologne", "dresden"), 1):
        world.poll(name, f"203.0.113.{number}")
    world.wait(100)  # no table is damped or spaced any more
    world.published.clear()
    return world


def test_engine_every_event_sets_a_wake_up() -> None:
    world = make_world()
    world.connect()
    assert world.wake_s > world.mono_s


def test_first_poll_both_routers_get_each_others_endpoint_with_kick() -> None:
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    world.poll("berlin", "203.0.113.1", 1001)
    world.poll("cologne", "203.0.113.2", 1002)
    world.wait(1)
    assert world.endpoint_in("berlin", "cologne") == "203.0.113.2:1002"
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.1:1001"
    assert world.table_of("berlin").peers[0].kick
    assert world.table_of("cologne").peers[0].kick


def test_moved_router_one_step_publishes_to_it_and_to_its_neighbours() -> None:
    world = make_settled()
    world.poll("berlin", "203.0.113.77")
    assert {name for name, _ in world.published} == {"berlin", "cologne", "dresden"}
    for name, table in world.published:
        kicked = {peer.name for peer in table.peers if peer.kick}
        assert kicked == ({"cologne", "dresden"} if name == "berlin" else {"berlin"} | kicked)


def test_after_ms_is_set_on_the_same_end_of_a_pair_only() -> None:
    world = make_settled()
    waits = {(name, peer.name): peer.after_ms for name in ("berlin", "cologne") for peer in world.table_of(name).peers}
    assert waits["berlin", "cologne"] == 0
    assert waits["cologne", "berlin"] == 450


def test_same_endpoint_again_publishes_nothing() -> None:
    world = make_settled()
    world.poll("berlin", "203.0.113.1")
    world.deliver()
    assert world.published == []


def test_seq_of_each_table_grows_beyond_the_retained_one_and_the_clock() -> None:
    world = make_settled()
    before = world.table_of("berlin").seq
    world.poll("berlin", "203.0.113.5")
    world.deliver()
    assert world.table_of("berlin").seq > before
    assert world.table_of("berlin").seq >= int((WALL_S + world.mono_s) * 1000)


def test_wall_clock_that_goes_back_does_not_decrease_seq() -> None:
    world = make_settled()
    before = world.table_of("berlin").seq
    world.wall_s -= 3600.0
    world.poll("berlin", "203.0.113.5")
    world.deliver()
    assert world.table_of("berlin").seq > before


def test_restart_with_nothing_changed_publishes_nothing() -> None:
    old = make_settled()
    world = make_world()
    world.retained = dict(old.retained)
    world.connect()
    for number, name in enumerate(("berlin", "cologne", "dresden"), 1):
        world.poll(name, f"203.0.113.{number}")
    world.deliver()
    assert world.published == []


def test_hub_restart_without_endpoints_withdraws_nothing() -> None:
    old = make_settled()
    world = make_world()
    world.retained = dict(old.retained)
    world.connect()
    world.poll("berlin", None)
    world.deliver()
    assert world.published == []
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.1:51820"


def test_restart_while_a_router_moved_publishes_the_difference() -> None:
    old = make_settled()
    world = make_world()
    world.retained = dict(old.retained)
    world.poll("berlin", "203.0.113.99")
    world.poll("cologne", "203.0.113.2")
    world.poll("dresden", "203.0.113.3")
    world.connect()
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.99:51820"
    assert world.table_of("cologne").seq > old.table_of("cologne").seq


def test_broker_back_with_older_tables_gets_the_newer_ones_again() -> None:
    world = make_settled()
    older = dict(world.retained)
    world.poll("berlin", "203.0.113.50")
    world.deliver()
    world.lose_broker()
    world.retained = older
    world.wait(30)
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.50:51820"


def test_change_while_a_table_is_in_flight_goes_out_after_the_acknowledgement() -> None:
    world = make_settled()
    world.poll("berlin", "203.0.113.60")
    first = len(world.published)
    world.poll("cologne", "203.0.113.62")
    assert len(world.published) == first, "one in flight for each router"
    world.wait(1)
    assert world.endpoint_in("berlin", "cologne") == "203.0.113.62:51820"
    assert world.endpoint_in("dresden", "berlin") == "203.0.113.60:51820"


def test_silent_broker_is_given_up_and_retried() -> None:
    world = make_settled()
    world.poll("berlin", "203.0.113.60")
    world.waiting.clear()  # the acknowledgements never come
    world.retained["wgmqtt/v1/cologne/endpoints"] = b""
    world.wait(60)
    assert "broker connection lost" in world.logged
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.60:51820"


def test_broker_that_refuses_connections_is_retried_with_back_off() -> None:
    world = make_world()
    world.reachable = False
    world.connect()
    world.wait(120)
    assert 10 < world.generation < 30
    world.reachable = True
    world.wait(10)
    assert world.logged.count("broker ready") == 1


def test_event_of_an_older_connection_changes_nothing() -> None:
    world = make_settled()
    world.lose_broker()
    world.wait(5)
    before = deepcopy(world.state)
    world.step(BrokerUp(1))
    assert world.state == before


def test_private_address_is_not_published() -> None:
    world = make_settled()
    world.poll("berlin", "192.168.1.1")
    world.poll("berlin", "10.1.2.3")
    world.deliver()
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.1:51820"


def test_receiver_of_another_family_gets_no_address() -> None:
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    world.poll("berlin", "2001:db8::1")
    world.poll("cologne", "203.0.113.2")
    world.deliver()
    assert world.endpoint_in("berlin", "cologne") == "None"
    assert world.endpoint_in("cologne", "berlin") == "None"


def test_peer_that_is_no_configured_router_is_ignored() -> None:
    world = make_settled()
    before = deepcopy(world.state)
    world.step(PeersPolled("wg0", (PeerState(key_of("phone"), None, 0.0),)))
    assert world.state == before


def test_router_on_two_interfaces_is_published_with_the_younger_handshake() -> None:
    world = make_settled()
    world.mono_s += 10
    world.poll("berlin", "203.0.113.9", interface="wg1")
    world.deliver()
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.9:51820"
    older = PeerState(key_of("berlin"), Endpoint("203.0.113.1", 51820), WALL_S + world.mono_s - 5, is_heard=True)
    world.wait(60)  # flap damping would let it through
    world.step(PeersPolled("wg0", (older,)))
    world.wait(60)
    assert world.endpoint_in("cologne", "berlin") == "203.0.113.9:51820"


def test_malformed_report_is_one_warning() -> None:
    world = make_settled()
    for payload in (b"\xff", b"[]", b'{"v":1}', b'{"v":1,"seq":"1","stage":"final","peers":7}'):
        world.step(Reported(world.generation, "berlin", payload))
    assert world.logged.count("report malformed") == 1


def test_report_on_the_newest_table_gives_a_latency_line() -> None:
    world = make_settled()
    world.poll("berlin", "203.0.113.70")
    world.deliver()
    seq = world.table_of("cologne").seq
    report = '{"v":1,"seq":"%d","stage":"%s","peers":[{"key":"%s","did":"set","rx":"%d","handshake_s":"00:00:01"}]}'
    for rx, stage in enumerate(("applied", "final")):
        payload = report % (seq, stage, key_of("berlin"), rx)
        world.step(Reported(world.generation, "cologne", payload.encode()))
    assert [line for line in world.logged if line.startswith(("table applied", "table final", "direct"))] == [
        "table applied",
        "table final",
    ]
