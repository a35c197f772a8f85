"""The engine from outside: what is published when, to whom, and what is not."""

from copy import deepcopy

from tests.engine.world import WALL_S, World, key_of, make_config, make_world
from wgmqtt.engine.events import BrokerUp, PeersPolled, Reported
from wgmqtt.model import PeerState


def settled() -> World:
    """Return a world in which all three routers were seen and told."""
    world = make_world()
    world.connect()
    for number, name in enumerate(("berlin", "cologne", "dresden"), 1):
        world.see(name, f"203.0.113.{number}")
    world.wait(100)  # damping and spacing of the beginning are over
    world.published.clear()
    return world


def test_step_every_event_sets_a_wake_up() -> None:
    world = make_world()
    world.connect()
    assert world.wake_s > world.mono_s


def test_first_meeting_both_routers_told_of_each_other_with_kick() -> None:
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    world.see("berlin", "203.0.113.1", 1001)
    world.see("cologne", "203.0.113.2", 1002)
    world.wait(1)
    assert world.told("berlin", "cologne") == "203.0.113.2:1002"
    assert world.told("cologne", "berlin") == "203.0.113.1:1001"
    assert world.table_of("berlin").peers[0].kick
    assert world.table_of("cologne").peers[0].kick


def test_moved_router_one_step_publishes_to_it_and_to_its_neighbours() -> None:
    world = settled()
    world.see("berlin", "203.0.113.77")
    assert {name for name, _ in world.published} == {"berlin", "cologne", "dresden"}
    for name, table in world.published:
        kicked = {peer.name for peer in table.peers if peer.kick}
        assert kicked == ({"cologne", "dresden"} if name == "berlin" else {"berlin"} | kicked)


def test_after_ms_is_set_on_the_same_end_of_a_pair_only() -> None:
    world = settled()
    waits = {(name, peer.name): peer.after_ms for name in ("berlin", "cologne") for peer in world.table_of(name).peers}
    assert waits["berlin", "cologne"] == 0
    assert waits["cologne", "berlin"] == 450


def test_same_endpoint_again_publishes_nothing() -> None:
    world = settled()
    world.see("berlin", "203.0.113.1")
    world.deliver()
    assert world.published == []


def test_seq_of_each_table_grows_beyond_the_retained_one_and_the_clock() -> None:
    world = settled()
    before = world.table_of("berlin").seq
    world.see("berlin", "203.0.113.5")
    world.deliver()
    assert world.table_of("berlin").seq > before
    assert world.table_of("berlin").seq >= int((WALL_S + world.mono_s) * 1000)


def test_clock_that_went_back_does_not_take_seq_back() -> None:
    world = settled()
    before = world.table_of("berlin").seq
    world.wall_s -= 3600.0
    world.see("berlin", "203.0.113.5")
    world.deliver()
    assert world.table_of("berlin").seq > before


def test_restart_with_nothing_changed_publishes_nothing() -> None:
    old = settled()
    world = make_world()
    world.retained = dict(old.retained)
    world.connect()
    for number, name in enumerate(("berlin", "cologne", "dresden"), 1):
        world.see(name, f"203.0.113.{number}")
    world.deliver()
    assert world.published == []


def test_hub_restart_without_endpoints_takes_nothing_back() -> None:
    old = settled()
    world = make_world()
    world.retained = dict(old.retained)
    world.connect()
    world.see("berlin", None)
    world.deliver()
    assert world.published == []
    assert world.told("cologne", "berlin") == "203.0.113.1:51820"


def test_restart_while_a_router_moved_publishes_the_difference() -> None:
    old = settled()
    world = make_world()
    world.retained = dict(old.retained)
    world.see("berlin", "203.0.113.99")
    world.see("cologne", "203.0.113.2")
    world.see("dresden", "203.0.113.3")
    world.connect()
    assert world.told("cologne", "berlin") == "203.0.113.99:51820"
    assert world.table_of("cologne").seq > old.table_of("cologne").seq


def test_broker_back_with_older_tables_gets_the_newer_ones_again() -> None:
    world = settled()
    older = dict(world.retained)
    world.see("berlin", "203.0.113.50")
    world.deliver()
    world.lose_broker()
    world.retained = older
    world.wait(30)
    assert world.told("cologne", "berlin") == "203.0.113.50:51820"


def test_change_while_a_table_is_in_flight_goes_out_after_the_acknowledgement() -> None:
    world = settled()
    world.see("berlin", "203.0.113.60")
    first = len(world.published)
    world.see("cologne", "203.0.113.62")
    assert len(world.published) == first, "one in flight for each router"
    world.wait(1)
    assert world.told("berlin", "cologne") == "203.0.113.62:51820"
    assert world.told("dresden", "berlin") == "203.0.113.60:51820"


def test_silent_broker_is_given_up_and_tried_again() -> None:
    world = settled()
    world.see("berlin", "203.0.113.60")
    world.waiting.clear()  # the acknowledgements never come
    world.retained["wgmqtt/v1/cologne/endpoints"] = b""
    world.wait(60)
    assert "broker connection lost" in world.said
    assert world.told("cologne", "berlin") == "203.0.113.60:51820"


def test_refusing_broker_is_warned_of_once_and_retried_ever_more_rarely() -> None:
    world = make_world()
    world.reachable = False
    world.connect()
    world.wait(120)
    assert 10 < world.generation < 30
    world.reachable = True
    world.wait(10)
    assert world.said.count("broker ready") == 1


def test_event_of_an_older_connection_changes_nothing() -> None:
    world = settled()
    world.lose_broker()
    world.wait(5)
    before = deepcopy(world.state)
    world.step(BrokerUp(1))
    assert world.state == before


def test_private_address_is_not_told_to_others() -> None:
    world = settled()
    world.see("berlin", "192.168.1.1")
    world.see("berlin", "10.1.2.3")
    world.deliver()
    assert world.told("cologne", "berlin") == "203.0.113.1:51820"


def test_receiver_of_another_family_gets_no_address() -> None:
    world = make_world(make_config(("berlin", "cologne")))
    world.connect()
    world.see("berlin", "2001:db8::1")
    world.see("cologne", "203.0.113.2")
    world.deliver()
    assert world.told("berlin", "cologne") == "None"
    assert world.told("cologne", "berlin") == "None"


def test_peer_that_is_nobodys_router_is_ignored() -> None:
    world = settled()
    before = deepcopy(world.state)
    world.step(PeersPolled("wg0", (PeerState(key_of("phone"), None, 0.0),)))
    assert world.state == before


def test_router_on_two_interfaces_follows_the_younger_handshake() -> None:
    world = settled()
    world.mono_s += 10
    world.see("berlin", "203.0.113.9", interface="wg1")
    world.deliver()
    assert world.told("cologne", "berlin") == "203.0.113.9:51820"
    world.mono_s -= 5
    world.see("berlin", "203.0.113.1", interface="wg0")
    world.deliver()
    assert world.told("cologne", "berlin") == "203.0.113.9:51820"


def test_unreadable_report_is_said_once() -> None:
    world = settled()
    for payload in (b"\xff", b"[]", b'{"v":1}', b'{"v":1,"seq":"1","stage":"final","peers":7}'):
        world.step(Reported(world.generation, "berlin", payload))
    assert world.said.count("report malformed") == 1


def test_report_on_the_newest_table_gives_a_latency_line() -> None:
    world = settled()
    world.see("berlin", "203.0.113.70")
    world.deliver()
    seq = world.table_of("cologne").seq
    report = '{"v":1,"seq":"%d","stage":"%s","peers":[{"key":"%s","did":"set","rx":"%d","handshake_s":"00:00:01"}]}'
    for rx, stage in enumerate(("applied", "final")):
        payload = report % (seq, stage, key_of("berlin"), rx)
        world.step(Reported(world.generation, "cologne", payload.encode()))
    assert [line for line in world.said if line.startswith(("table applied", "table final", "direct"))] == [
        "table applied",
        "table final",
        "direct path proven",
    ]
