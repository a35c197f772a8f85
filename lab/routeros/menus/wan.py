"""The menus that a WAN hook uses: netwatch, DHCP client, PPP profiles. Items are stored; their scripts never run."""

from collections.abc import Mapping

from lab.routeros.language.values import Time, Value, render
from lab.routeros.menus.arguments import read_bool, read_span, read_text
from lab.routeros.menus.items import Change, Item, ItemMenu, Reader
from lab.routeros.versions import is_between

_STARTUP_DELAY = Time(300 * 1_000_000_000)


class StoredMenu(ItemMenu):
    """A menu whose items have no effect."""

    def added(self, item: Item) -> None:
        """Do nothing."""

    def changed(self, change: Change) -> None:
        """Do nothing."""

    def removed(self, item: Item) -> None:
        """Do nothing."""


class NetwatchMenu(StoredMenu):
    """`/tool/netwatch`: hosts that the router probes, and the scripts that it runs when one becomes reachable."""

    def __init__(self, version: str) -> None:
        readers: dict[str, Reader] = dict.fromkeys(("comment", "host", "type", "up-script"), read_text)
        readers |= dict.fromkeys(("interval", "timeout", "startup-delay"), read_span)
        if is_between(version, since="7.17"):
            readers["ignore-initial-up"] = read_bool
            self.defaults = {"startup-delay": _STARTUP_DELAY, "ignore-initial-up": False}
        else:
            self.defaults = {"startup-delay": _STARTUP_DELAY}
        super().__init__("/tool/netwatch", readers)

    def scripts_on_up(self, host: str, uptime_s: float, *, was_down: bool) -> list[str]:
        """Return the scripts that RouterOS runs when a host answers, so long after the router's start.

        A host whose state was not known before (`was_down` is false) also runs them, unless `ignore-initial-up` is set.
        """
        scripts = []
        for item in self.items.values():
            delay = item.kept["startup-delay"]
            assert isinstance(delay, Time)
            waits = uptime_s < delay.ns / 1e9
            ignores = item.kept.get("ignore-initial-up", False) is True and not was_down
            if render(item.kept["host"]) == host and not waits and not ignores:
                scripts.append(render(item.kept["up-script"]))
        return scripts


def wan_menus(version: str) -> Mapping[str, ItemMenu]:
    """Return the menus, with a DHCP client on ether1 and the default PPP profile, both without a script."""
    watches = NetwatchMenu(version)
    clients = StoredMenu("/ip/dhcp-client", dict.fromkeys(("comment", "interface", "script"), read_text))
    clients.append({"interface": "ether1", "script": ""})
    profiles = StoredMenu("/ppp/profile", dict.fromkeys(("comment", "name", "on-up"), read_text))
    profiles.append({"name": "default", "on-up": ""})
    return {menu.path: menu for menu in (watches, clients, profiles)}


def kept_in(menu: ItemMenu) -> list[dict[str, Value]]:
    """Return the stored values of each item of a menu."""
    return [dict(item.kept) for item in menu.items.values()]
