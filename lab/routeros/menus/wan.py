"""The menus that a WAN hook uses: netwatch, DHCP client, PPP profiles. Items are stored; their scripts never run."""

from collections.abc import Mapping

from lab.routeros.language.values import Value
from lab.routeros.menus.arguments import read_bool, read_span, read_text
from lab.routeros.menus.items import Change, Item, ItemMenu


class StoredMenu(ItemMenu):
    """A menu whose items have no effect."""

    def added(self, item: Item) -> None:
        """Do nothing."""

    def changed(self, change: Change) -> None:
        """Do nothing."""

    def removed(self, item: Item) -> None:
        """Do nothing."""


def wan_menus() -> Mapping[str, ItemMenu]:
    """Return the menus, with a DHCP client on ether1 and the default PPP profile, both without a script."""
    netwatch = dict.fromkeys(("comment", "host", "type", "up-script"), read_text)
    spans = dict.fromkeys(("interval", "timeout", "startup-delay"), read_span)
    watches = StoredMenu("/tool/netwatch", {**netwatch, **spans, "ignore-initial-up": read_bool})
    clients = StoredMenu("/ip/dhcp-client", dict.fromkeys(("comment", "interface", "script"), read_text))
    clients.append({"interface": "ether1", "script": ""})
    profiles = StoredMenu("/ppp/profile", dict.fromkeys(("comment", "name", "on-up"), read_text))
    profiles.append({"name": "default", "on-up": ""})
    return {menu.path: menu for menu in (watches, clients, profiles)}


def kept_in(menu: ItemMenu) -> list[dict[str, Value]]:
    """Return the stored values of each item of a menu."""
    return [dict(item.kept) for item in menu.items.values()]
