"""The emitted installer and removal on routers in memory: what they change, leave alone and print."""

from collections.abc import Mapping

import pytest

from lab.fuzz.handler_rig import (
    INTERFACE,
    PASSWORD,
    REPORT_TOPIC,
    TABLE_TOPIC,
    Outcome,
    Rig,
    entry,
    hub_peer,
    key_of,
    peer,
    place_of,
    script_for,
    script_of_removal,
    table,
)
from lab.fuzz.harm import kept_by
from lab.routeros.language.errors import ScriptError
from lab.routeros.language.values import Value, render
from lab.routeros.menus.items import ItemMenu
from lab.routeros.models.router import ModelRouter, Peer
from lab.routeros.switches import Switches

VERSION = "7.20.8"
SCRIPT = script_for(2, (7, 20))
FOREIGN = """
/iot/mqtt/brokers/add name=other address=192.0.2.77 client-id=x password=y
/iot/mqtt/subscriptions/add broker=other topic=wgmqtt/v1/berlin/endpoints on-message=":put other"
/iot/mqtt/subscriptions/add broker=other topic=a/b on-message=":put other"
"""


def new(version: str = VERSION, peers: tuple[Peer, ...] = (peer(1), peer(2)), **others: object) -> ModelRouter:
    return ModelRouter(version, [hub_peer(), *peers], interface=INTERFACE, **others)  # type: ignore[arg-type]


def kept(router: ModelRouter) -> Mapping[str, Mapping[str, Value]]:
    return kept_by(router).items


def said(router: ModelRouter) -> list[str]:
    return [str(event.fields["text"]) for event in router.find("put")]


def warnings(router: ModelRouter) -> list[str]:
    return [line for line in said(router) if line.startswith("warning: ")]


def refusal(router: ModelRouter, script: str = SCRIPT) -> str:
    """Return the error with which the import stops; require that it changed nothing."""
    before = kept(router)
    with pytest.raises(ScriptError) as caught:
        router.install(script)
    assert kept(router) == before
    assert not router.broker.links
    return str(caught.value)


def test_install_makes_one_broker_and_one_subscription_and_nothing_else() -> None:
    router = new()
    before = kept(router)
    router.install(SCRIPT)
    made = {place: item for place, item in kept(router).items() if place not in before}
    assert sorted(made) == ["/iot/mqtt/brokers *1", "/iot/mqtt/subscriptions *1"]
    assert {place: kept(router)[place] for place in before} == before
    broker = made["/iot/mqtt/brokers *1"]
    assert {name: render(value) for name, value in broker.items()} | {"client-id": ""} == {
        "name": "wgmqtt",
        "address": "10.99.0.1",
        "port": "1883",
        "ssl": "false",
        "certificate": "none",
        "client-id": "",
        "username": "berlin",
        "password": PASSWORD,
        "keep-alive": "30",
        "auto-connect": "true",
        "parallel-scripts-limit": "off",
        "will-topic": "wgmqtt/v1/berlin/online",
        "will-message": "offline",
        "will-qos": "1",
        "will-retain": "true",
    }
    assert "berlin" in render(broker["client-id"])
    assert not list(router.find("set"))


def test_install_connects_subscribes_and_gets_the_table_at_once() -> None:
    router = new()
    router.broker.retained[TABLE_TOPIC] = table(entry(1, place_of(1, 2000)))
    router.install(SCRIPT)
    assert router.broker.arrivals[-1].topics == ((TABLE_TOPIC, 1),)
    assert router.broker.arrivals[-1].password == PASSWORD
    assert Outcome(tuple(router.events)).places == [(1, place_of(1, 2000))]
    assert REPORT_TOPIC in router.broker.retained


def test_install_finds_its_subscription_by_topic_and_leaves_another_brokers_alone() -> None:
    """Whether `find where broker=` takes a name is not known: the owner is read and compared."""
    router = new()
    router.install(FOREIGN)
    router.install(SCRIPT)
    menu = router.router.menu("/iot/mqtt/subscriptions")
    assert isinstance(menu, ItemMenu)
    owners = [(render(item.kept["broker"]), render(item.kept["topic"])) for item in menu.items.values()]
    assert owners.count(("wgmqtt", TABLE_TOPIC)) == owners.count(("other", TABLE_TOPIC)) == 1
    foreign = [item for item in menu.items.values() if render(item.kept["broker"]) == "other"]
    assert {render(item.kept["on-message"]) for item in foreign} == {":put other"}
    for text in (SCRIPT, script_of_removal()):
        assert "find where broker=" not in text


def test_install_twice_equals_once() -> None:
    router = new()
    router.install(SCRIPT)
    once = kept(router)
    router.events.clear()
    router.install(SCRIPT)
    assert kept(router) == once
    assert not list(router.find("set"))
    (link,) = router.broker.links
    assert link.is_up


def test_install_tells_the_endpoints_as_they_were_and_no_password() -> None:
    router = new()
    router.install(SCRIPT)
    for number in (1, 2):
        address, port = place_of(number)
        assert f"  {key_of(number)} endpoint-address={address} endpoint-port={port}" in said(router)
    assert said(router)[-1] == "wgmqtt: installed. Delete the imported file: it contains a password."
    assert all(PASSWORD not in str(event) for event in router.events)
    assert warnings(router) == []


def test_install_over_an_older_one_keeps_its_entries_and_puts_the_new_handler_in() -> None:
    router = new()
    router.install(SCRIPT)
    ids = [place for place in kept(router) if place.startswith("/iot")]
    subscription = kept(router)["/iot/mqtt/subscriptions *1"]
    menu = router.router.menu("/iot/mqtt/subscriptions")
    next(iter(menu.items.values())).kept["on-message"] = ":put old"  # type: ignore[attr-defined]
    router.install(SCRIPT)
    assert [place for place in kept(router) if place.startswith("/iot")] == ids
    assert kept(router)["/iot/mqtt/subscriptions *1"] == subscription


@pytest.mark.parametrize("broker_is_up", [True, False])
def test_remove_takes_all_of_ours_and_nothing_else(broker_is_up: bool) -> None:  # noqa: FBT001 - a table
    router = new()
    router.install(FOREIGN)
    before = kept(router)
    router.broker.is_up = broker_is_up
    router.install(SCRIPT)
    assert kept(router) != before
    router.install(script_of_removal())
    assert kept(router) == before
    assert said(router)[-1] == "wgmqtt: removed."
    assert [link.name for link in router.broker.links] == ["other"]


def test_remove_twice_equals_once_and_says_so() -> None:
    router = new()
    router.install(SCRIPT)
    for _ in range(2):
        router.install(script_of_removal())
    assert said(router)[-1] == "wgmqtt: nothing to remove."


def test_remove_leaves_endpoints_as_they_are_now() -> None:
    rig = Rig(peer(1))
    rig.get(table(entry(1, place_of(1, 2000))))
    rig.install(script_of_removal())
    assert rig.configured(1) == rig.current(1) == place_of(1, 2000)


def test_router_goes_on_without_a_broker_and_connects_when_it_comes() -> None:
    router = new()
    router.broker.is_up = False
    router.install(SCRIPT)
    router.broker.is_up = True
    router.clock.settle(30)
    (link,) = router.broker.links
    assert link.is_up


# What stops it


@pytest.mark.parametrize("version", ["7.17.1", "7.18.2", "7.20.8", "7.24"])
def test_install_without_the_iot_package_is_refused_in_our_words(version: str) -> None:
    router = new(version, switches=Switches(iot_listed_not_installed=True))
    error = refusal(router)
    assert "package iot" in error
    assert "Apply Changes" in error


@pytest.mark.parametrize("version", ["7.12.2", "7.13.5", "7.14.3", "7.15.3", "7.19.6"])
def test_install_on_an_older_routeros_is_refused_in_our_words(version: str) -> None:
    error = refusal(new(version))
    assert "made for RouterOS 7.20 or later of version 7" in error
    assert version in error


def test_install_without_the_interface_is_refused() -> None:
    router = ModelRouter(VERSION, [hub_peer()], interface="wireguard7")
    assert f"there is no WireGuard interface {INTERFACE}. Nothing was changed." in refusal(router)


def test_install_of_a_handler_that_does_not_parse_is_refused() -> None:
    broken = SCRIPT.replace('"# wgmqtt', '":if (1 =', 1)
    assert broken != SCRIPT
    assert "cannot parse the handler. Nothing was changed." in refusal(new(), broken)


# What it warns of


def test_remove_takes_the_counter_of_the_handler() -> None:
    """The handler's global variable, where RouterOS shows it to scripts."""
    rig = Rig(peer(1), switches=Switches(hook_globals="shared"))
    rig.get(table(entry(1, place_of(1, 2000))))
    count = ':put [/system/script/environment/print count-only where name="wgmqttTurn"]'
    rig.router.run_script(count)
    rig.install(script_of_removal())
    rig.router.run_script(count)
    assert [line for line in said(rig) if line.isdigit()] == ["1", "0"]


def test_remove_without_the_package_iot_takes_the_wan_hook_all_the_same() -> None:
    router = new(switches=Switches(iot_listed_not_installed=True))
    router.router.run_import('/tool/netwatch/add comment="wgmqtt" host=10.99.0.1 up-script=":put 1"')
    with pytest.raises(ScriptError, match="package iot is missing"):
        router.install(script_of_removal())
    router.router.run_script(":put [/tool/netwatch/print count-only]")
    assert said(router)[-1] == "0"


def test_remove_takes_a_subscription_whose_broker_entry_is_gone() -> None:
    """The entry was removed by hand; the name that RouterOS then gives to the subscription's broker is not known."""
    router = new()
    router.install(SCRIPT)
    router.router.run_import(FOREIGN)
    subscriptions = router.router.menu("/iot/mqtt/subscriptions")
    assert isinstance(subscriptions, ItemMenu)
    for item in subscriptions.items.values():
        if render(item.kept["broker"]) == "wgmqtt":
            item.kept["broker"] = "*1"
    router.install(script_of_removal())
    assert [render(item.kept["broker"]) for item in subscriptions.items.values()] == ["other", "other"]
    assert said(router)[-1] == "wgmqtt: removed."
