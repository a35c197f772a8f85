"""The clock, the device and the broker in memory: they behave like the real ones, as far as a script can observe."""

import pytest

from lab.fuzz.handler_rig import HUB_KEY, Rig, hub_peer, key_of, peer, ping_of, place_of, with_reality
from lab.routeros.language.errors import ScriptError
from lab.routeros.menus.device import Settings
from lab.routeros.models.broker import ModelBroker
from lab.routeros.models.clock import START_NS, ModelClock
from lab.routeros.models.device import Reality
from lab.routeros.models.router import ModelRouter
from lab.routeros.mqtt.client import BrokerSettings, LinkError, Message
from lab.routeros.mqtt.link import LinkEvents

ELSEWHERE = ("203.0.113.9", 4000)


# Clock


def test_sleep_advances_the_clock_without_waiting() -> None:
    clock = ModelClock()
    clock.sleep(3600)
    assert clock.now_ns() - START_NS == 3600 * 10**9
    assert clock.now_ms() == 3_600_000


def test_tasks_take_turns_in_the_order_of_their_wake_up() -> None:
    clock = ModelClock()
    seen: list[tuple[str, float]] = []

    def work(name: str, *pauses_s: float) -> None:
        for pause_s in pauses_s:
            clock.sleep(pause_s)
            seen.append((name, clock.now_ms()))

    clock.start(lambda: work("a", 0.3, 0.3), "a")
    clock.start(lambda: work("b", 0.2, 0.2, 0.2), "b")
    clock.settle(10)
    assert seen == [("b", 200), ("a", 300), ("b", 400), ("a", 600), ("b", 600)]


def test_due_calls_run_while_the_caller_sleeps() -> None:
    clock = ModelClock()
    seen: list[float] = []
    for delay_s in (0.5, 0.1, 2.0):
        clock.after(delay_s, lambda: seen.append(clock.now_ms()))
    clock.sleep(1)
    assert (seen, clock.now_ms()) == ([100, 500], 1000)


def test_exception_of_a_task_is_raised_in_the_waiting_thread() -> None:
    clock = ModelClock()

    def work() -> None:
        clock.sleep(1)
        raise ScriptError("broken")

    clock.start(work, "task")
    with pytest.raises(ScriptError, match="broken"):
        clock.settle(10)


def test_settle_ends_although_calls_are_always_due() -> None:
    clock = ModelClock()

    def again() -> None:
        clock.after(1, again)

    again()
    clock.settle(60)
    assert clock.now_ms() == 60_000


# Device


def device_of(*places: tuple[str, int]) -> Rig:
    return Rig(with_reality(peer(1), *places), peer(2))


def ping(rig: Rig, address: str) -> str:
    rig.router.run_script(f":put [/tool/ping address={address} count=1 interval=200ms]")
    return str(list(rig.find("put"))[-1].fields["text"])


def test_ping_goes_to_the_peer_that_the_address_is_routed_to() -> None:
    rig = device_of(place_of(1))
    hub_tx = rig.device.peers[HUB_KEY].tx
    assert ping(rig, ping_of(1)) == "1"
    assert rig.device.peers[key_of(1)].rx > 1000
    assert rig.device.peers[key_of(2)].rx == 1000
    assert ping(rig, "10.99.0.1") == "1"
    assert rig.device.peers[HUB_KEY].tx > hub_tx


def test_ping_to_a_wrong_endpoint_waits_for_the_interval_and_changes_nothing() -> None:
    rig = device_of(ELSEWHERE)
    before_ms = rig.clock.now_ms()
    assert ping(rig, ping_of(1)) == "0"
    assert rig.clock.now_ms() - before_ms == 200
    assert rig.device.peers[key_of(1)].rx == 1000


def test_ping_without_a_peer_for_the_address_is_an_error() -> None:
    router = ModelRouter("7.20.8", [peer(1)])
    with pytest.raises(ScriptError, match="no route to host"):
        router.router.run_script("/tool/ping address=192.0.2.200 count=1")


def test_set_endpoint_changes_the_current_one_and_sends_nothing() -> None:
    rig = device_of(ELSEWHERE)
    before = rig.device.peers[key_of(1)]
    rig.device.set_peer(key_of(1), Settings(endpoint=ELSEWHERE))
    after = rig.device.peers[key_of(1)]
    assert after.endpoint == ELSEWHERE
    assert (after.rx, after.tx, after.handshake_s, after.allowed) == (
        before.rx,
        before.tx,
        before.handshake_s,
        before.allowed,
    )


def test_packet_from_another_endpoint_changes_only_the_current_endpoint() -> None:
    rig = device_of(place_of(1))
    rig.device.hear(key_of(1), ELSEWHERE)
    assert (rig.current(1), rig.configured(1)) == (ELSEWHERE, place_of(1))


def test_packet_renews_an_old_session_but_not_a_young_one() -> None:
    rig = Rig(peer(1, 130), peer(2, 100), peer(3, None))
    for number in (1, 2, 3):
        rig.device.hear(key_of(number))
    now_s = rig.clock.now_ns() // 10**9
    assert [now_s - rig.device.peers[key_of(number)].handshake_s for number in (1, 2, 3)] == [0, 100, 0]


def test_reply_from_another_endpoint_changes_the_current_endpoint() -> None:
    rig = Rig(peer(1, reality=Reality(frozenset({place_of(1)}), moves_to=ELSEWHERE)))
    assert ping(rig, ping_of(1)) == "1"
    assert rig.current(1) == ELSEWHERE


def test_put_back_undoes_the_effects_of_scripts() -> None:
    rig = device_of(place_of(1))
    rig.router.run_script(f'/interface/wireguard/peers/set [find where public-key="{key_of(1)}"] endpoint-port=9')
    rig.put_back()
    assert rig.configured(1) == rig.current(1) == place_of(1)
    assert not rig.events


# Broker


class Listener:
    """A link with its settings, and the events that it reported."""

    def __init__(self, broker: ModelBroker, *topics: str, auto_connect: bool = False) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.news: list[str] = []
        settings = BrokerSettings(
            "192.0.2.1", 1883, "x", 30, auto_connect=auto_connect, topics=tuple((topic, 1) for topic in topics)
        )
        ears = LinkEvents(
            lambda: self.news.append("connected"),
            lambda _: self.news.append("lost"),
            lambda topic, payload: self.heard.append((topic, payload)),
        )
        self.link = broker.make_link("hub", lambda: settings, ears)


def test_retained_message_is_delivered_at_each_new_connection() -> None:
    broker = ModelBroker(ModelClock())
    broker.publish(Message("a/b", b"kept", retain=True))
    broker.publish(Message("a/b", b"not kept"))
    listener = Listener(broker, "a/b")
    for _ in range(2):
        listener.link.connect()
        listener.link.disconnect()
    assert listener.heard == [("a/b", b"kept")] * 2


def test_publish_and_disconnect_without_a_connection_are_errors() -> None:
    listener = Listener(ModelBroker(ModelClock()), "a")
    with pytest.raises(LinkError):
        listener.link.publish(Message("a", b""))
    with pytest.raises(LinkError):
        listener.link.disconnect()


@pytest.mark.parametrize(
    ("auto_connect", "news"), [(True, ["connected", "lost", "connected"]), (False, ["connected", "lost"])]
)
def test_lost_link_reconnects_only_with_auto_connect(auto_connect: bool, news: list[str]) -> None:  # noqa: FBT001 - a table
    clock = ModelClock()
    listener = Listener(ModelBroker(clock), "a", auto_connect=auto_connect)
    listener.link.connect()
    listener.link.cut()
    clock.settle(30)
    assert listener.news == news


def test_connection_to_a_broker_that_is_down_is_retried() -> None:
    clock = ModelClock()
    broker = ModelBroker(clock, is_up=False)
    listener = Listener(broker, "a", auto_connect=True)
    listener.link.wake()
    clock.settle(3)
    assert "connected" not in listener.news
    broker.is_up = True
    clock.settle(3)
    assert listener.link.is_up


def test_router_without_other_peers_can_be_created() -> None:
    assert ModelRouter("7.16.2", [hub_peer()]).item(HUB_KEY).kept["disabled"] is False
