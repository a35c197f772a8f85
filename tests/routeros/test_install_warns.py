"""The warnings that the installer prints before it changes anything."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from lab.fuzz.handler_rig import HUB_KEY, INTERFACE, hub_peer, key_of, peer, ping_of, script_for
from lab.routeros.language.errors import ScriptError
from lab.routeros.language.values import Value
from lab.routeros.menus import system
from lab.routeros.models.clock import ModelClock
from lab.routeros.models.device import Reality
from lab.routeros.models.router import ModelRouter, Peer
from lab.routeros.switches import Switches
from tests.routeros.test_install import SCRIPT, VERSION, new, said, warnings

WARNED: Mapping[str, tuple[Peer, str]] = {
    "no keepalive": (peer(1, keepalive_s=0), "has no persistent-keepalive: set 25s, or the NAT's mapping expires"),
    "ping not carried": (peer(1, allowed=("10.98.7.7/32",)), f"does not carry {ping_of(1)}"),
    "nothing carried": (peer(1, allowed=()), f"does not carry {ping_of(1)}"),
    "the hub's prefix": (peer(1, allowed=(f"{ping_of(1)}/32", "0.0.0.0/0")), "has the hub's prefix 0.0.0.0/0"),
}


@pytest.mark.parametrize("case", WARNED)
def test_install_warns_once_and_goes_on(case: str) -> None:
    wrong, text = WARNED[case]
    router = new(peers=(wrong, peer(2)))
    router.install(SCRIPT)
    (warning,) = warnings(router)
    assert text in warning
    assert key_of(1) in warning
    assert said(router)[-1].startswith("wgmqtt: installed.")


@pytest.mark.parametrize("odd_values", ["refuse", "text", "number"])
def test_install_with_prefixes_of_both_families_goes_on(odd_values: str) -> None:
    allowed = (f"{ping_of(1)}/32", "2001:db8::/64")
    router = new(peers=(peer(1, allowed=allowed), peer(2)), switches=Switches(odd_values=odd_values))  # type: ignore[arg-type]
    router.install(SCRIPT)
    assert warnings(router) == []


def test_install_warns_of_a_peer_that_only_answers() -> None:
    """The script of an older configured version asks by the name that RouterOS has since 7.17."""
    for script in (script_for(2, (7, 17)), SCRIPT):
        router = new(VERSION)
        router.item(key_of(1)).kept["responder"] = True
        router.install(script)
        assert warnings(router) == [
            f"warning: peer {key_of(1)} has responder=yes: it starts no handshake, set it to no"
        ]


def test_install_warns_of_a_disabled_peer() -> None:
    router = new()
    router.router.run_script(f'/interface/wireguard/peers/set [find where public-key="{key_of(1)}"] disabled=yes')
    router.install(SCRIPT)
    assert warnings(router) == [f"warning: peer {key_of(1)} is disabled: wgmqtt leaves it alone until you enable it"]


@pytest.mark.parametrize(("timeout", "warns"), [("10s", True), ("24s", True), ("25s", False), ("30s", False)])
def test_install_warns_of_a_udp_timeout_below_the_keepalive(timeout: str, warns: bool) -> None:  # noqa: FBT001 - a table
    router = new()
    router.router.run_script(f"/ip/firewall/connection/tracking/set udp-timeout={timeout}")
    router.install(SCRIPT)
    assert bool([line for line in warnings(router) if "udp-timeout 00:00:" in line]) is warns
    assert said(router)[-1].startswith("wgmqtt: installed.")


def test_install_on_a_router_without_connection_tracking_says_nothing_of_it() -> None:
    def read() -> Mapping[str, Value]:
        raise ScriptError("no such command")

    router = new()
    path = "/ip/firewall/connection/tracking"
    router.router._menus = {**router.router._menus, path: system.SettingsMenu(path, read)}
    router.install(SCRIPT)
    assert warnings(router) == []


@pytest.mark.parametrize(
    ("version", "warns"), [("7.24", True), ("7.24.1", True), ("7.24.4", True), ("7.24.5", False), ("7.23.3", False)]
)
def test_install_warns_of_the_versions_with_bugs_in_what_it_uses(version: str, warns: bool) -> None:  # noqa: FBT001 - a table
    router = new("7.24")
    resource = system.resource_menu(version)
    router.router._menus = {**router.router._menus, "/system/resource": resource}
    router.install(SCRIPT)
    assert bool([line for line in warnings(router) if "upgrade to 7.24.5" in line]) is warns


def test_install_warns_of_a_linked_peer_that_is_missing() -> None:
    router = new(peers=(peer(2),))
    router.install(SCRIPT)
    assert warnings(router) == [f"warning: no peer {key_of(1)} on {INTERFACE}: add it, wgmqtt adds none"]


def test_install_warns_of_a_hub_without_keepalive_and_of_no_hub() -> None:
    router = ModelRouter(VERSION, [replace(hub_peer(), keepalive_s=0), peer(1), peer(2)], interface=INTERFACE)
    router.install(SCRIPT)
    assert [line for line in warnings(router) if "hub's peer has no persistent-keepalive" in line]
    router = ModelRouter(VERSION, [peer(1), peer(2)], interface=INTERFACE)
    router.install(SCRIPT)
    assert [line for line in warnings(router) if "has no peer with the hub's public key" in line]


def test_install_warns_of_a_wrong_clock() -> None:
    router = new(clock=ModelClock(0))
    router.install(SCRIPT)
    (warning,) = warnings(router)
    assert "the clock is wrong" in warning


def test_install_warns_of_a_clock_that_nobody_sets() -> None:
    router = new()
    router.router.run_script("/system/ntp/client/set enabled=no")
    router.install(SCRIPT)
    (warning,) = warnings(router)
    assert warning.startswith("warning: NTP is off")


def test_install_on_a_router_without_the_menu_of_ntp_says_nothing_of_it() -> None:
    """The command is parsed at run time, where it fails on such a RouterOS."""
    router = new()
    router.install(SCRIPT.replace("/system/ntp/client/get", "/system/nothing/client/get"))
    assert warnings(router) == []


def test_hub_peer_is_told_apart_by_its_key_and_nothing_else() -> None:
    """A linked peer may carry every address, and the hub's peer may have any name."""
    router = new()
    router.item(HUB_KEY).kept["name"] = "p1"
    router.device.realities[HUB_KEY] = Reality()
    router.install(SCRIPT)
    assert warnings(router) == []
