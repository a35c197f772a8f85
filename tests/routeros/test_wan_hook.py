"""The WAN hook that gen-rsc may add: set only if there is none, never over a script of the user, removed again."""

import pytest

from lab.fuzz.handler_rig import INTERFACE, PASSWORD, hub_peer, make_config, peer, script_of_removal
from lab.routeros.language.values import Value, render
from lab.routeros.menus.items import ItemMenu
from lab.routeros.menus.wan import kept_in
from lab.routeros.models.router import ModelRouter
from wgmqtt.script.render import Options, parse_wan_hook, render_script
from wgmqtt.script.templates import read_templates

VERSIONS = ("7.17.1", "7.20.8", "7.24")
PLACES = {
    "netwatch": ("/tool/netwatch", "up-script"),
    "dhcp:ether1": ("/ip/dhcp-client", "script"),
    "ppp:default": ("/ppp/profile", "on-up"),
}


def script_with(hook: str) -> str:
    config = make_config(1)
    kind, name = parse_wan_hook(hook)
    return render_script(config, config.routers[0], PASSWORD, read_templates(), Options(wan_hook=kind, wan=name))


def router_of(version: str) -> ModelRouter:
    return ModelRouter(version, [hub_peer(), peer(1)], interface=INTERFACE)


def hooks(router: ModelRouter, hook: str) -> list[Value]:
    path, name = PLACES[hook]
    menu = router.router.menu(path)
    assert isinstance(menu, ItemMenu)
    return [item[name] for item in kept_in(menu) if item[name] != ""]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("hook", PLACES)
def test_wan_hook_is_set_once_and_removed_again(hook: str, version: str) -> None:
    router = router_of(version)
    router.install(script_with(hook))
    router.install(script_with(hook))
    (text,) = hooks(router, hook)
    assert str(text).startswith("# wgmqtt: ")
    assert "10.99.0.1" in str(text)
    assert [each for other in PLACES if other != hook for each in hooks(router, other)] == []
    router.install(script_of_removal())
    assert hooks(router, hook) == []


def test_netwatch_begins_soon_after_a_reboot_and_not_with_a_first_answer() -> None:
    """By default it begins after five minutes, and runs the script when its state goes from unknown to up."""
    router = router_of("7.17.1")
    router.install(script_with("netwatch"))
    menu = router.router.menu("/tool/netwatch")
    assert isinstance(menu, ItemMenu)
    (watch,) = kept_in(menu)
    assert (render(watch["startup-delay"]), watch["ignore-initial-up"]) == ("00:00:10", True)


@pytest.mark.parametrize(
    ("hook", "own"),
    [
        ("dhcp:ether1", '/ip/dhcp-client/set [/ip/dhcp-client/find where interface=ether1] script=":log info mine"'),
        ("ppp:default", '/ppp/profile/set [/ppp/profile/find where name=default] on-up=":log info mine"'),
    ],
)
def test_script_of_the_users_own_is_never_replaced_or_removed(hook: str, own: str) -> None:
    router = router_of("7.20.8")
    router.install(own)
    router.install(script_with(hook))
    router.install(script_of_removal())
    assert hooks(router, hook) == [":log info mine"]
    said = [str(event.fields["text"]) for event in router.find("put")]
    assert any("has a script of its own" in line for line in said)


@pytest.mark.parametrize("hook", ["dhcp:ether7", "ppp:nobody"])
def test_hook_without_its_place_is_said_and_nothing_is_set(hook: str) -> None:
    router = router_of("7.20.8")
    router.install(script_with(hook))
    assert any("no hook was set" in str(event.fields["text"]) for event in router.find("put"))


def test_script_without_the_option_sets_no_hook() -> None:
    router = router_of("7.20.8")
    config = make_config(1)
    router.install(render_script(config, config.routers[0], PASSWORD, read_templates()))
    assert [each for hook in PLACES for each in hooks(router, hook)] == []


@pytest.mark.parametrize("name", ['a"b', '"; :put canary; "', "$[:put canary]", "a\n:put canary\n", "\\", "a b", "#"])
@pytest.mark.parametrize("kind", ["dhcp", "ppp"])
def test_name_of_the_hooks_place_is_text_wherever_it_stands(kind: str, name: str) -> None:
    router = router_of("7.20.8")
    router.install(script_with(f"{kind}:{name}"))
    said = [str(event.fields["text"]) for event in router.find("put")]
    assert "canary" not in said
    assert f"{name}: no hook was set" in said[-1]
