"""The menus about the system: packages, resource, identity, NTP, clock, log, addresses."""

import time
from collections.abc import Callable, Iterable, Mapping

from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Array, Nothing, Time, Value, render
from lab.routeros.menus.arguments import read_bool, read_span, read_text
from lab.routeros.menus.items import Item, ItemMenu
from lab.routeros.versions import is_between

_SECOND_NS = 1_000_000_000
LISTS_AVAILABLE_SINCE = "7.18"  # the oldest listing seen with the flag A is of 7.20.6; the change log says 7.18


class PackagesMenu(ItemMenu):
    """`/system/package`: routeros and, if installed, iot. Newer versions also list packages that could be installed.

    Such an item is disabled and available, and has no version (listings of 7.20.6, 7.23.3 and 7.24beta1).
    """

    def __init__(self, version: str, *, iot_installed: bool, iot_listed: bool) -> None:
        available = ("available",) if is_between(version, since=LISTS_AVAILABLE_SINCE) else ()
        super().__init__("/system/package", {}, ("name", "version", "disabled", *available))
        shown: dict[str, Value] = {"available": False} if available else {}
        self.append({"name": "routeros", "version": version, "disabled": False, **shown})
        if iot_installed:
            self.append({"name": "iot", "version": version, "disabled": False, **shown})
        elif iot_listed and available:
            self.append({"name": "iot", "disabled": True, "available": True})


class SettingsMenu:
    """A menu without items: `get NAME`, and `set` of what can be set."""

    def __init__(
        self,
        path: str,
        read: Callable[[], Mapping[str, Value]],
        write: Callable[[Mapping[str, Value]], None] | None = None,
    ) -> None:
        self._path = path
        self._read = read
        self._write = write

    def call(self, call: Call) -> Value:
        """Carry out one command."""
        if call.verb == "set" and self._write is not None and not call.unnamed:
            self._write(call.named)
            return Nothing()
        wanted = [*call.unnamed, *([call.named["value-name"]] if "value-name" in call.named else [])]
        if call.verb != "get" or call.flags or len(wanted) > 1 or set(call.named) - {"value-name"}:
            raise NotImplementedInEmulator(f"{self._path}/{call.verb} {' '.join([*call.named, *call.flags])}")
        properties = self._read()
        if not wanted:
            return Array(keyed=dict(properties))
        name = render(wanted[0])
        if name not in properties:
            raise NotImplementedInEmulator(f"{self._path}/get {name}")
        return properties[name]


def resource_menu(version: str) -> SettingsMenu:
    """Return `/system/resource`: version, uptime (of the emulator) and the names of the device."""
    began = time.monotonic()

    def read() -> Mapping[str, Value]:
        return {
            "version": f"{version} (stable)",
            "uptime": Time(int(time.monotonic() - began) * _SECOND_NS),
            "board-name": "CHR",
            "platform": "MikroTik",
            "architecture-name": "x86_64",
        }

    return SettingsMenu("/system/resource", read)


def identity_menu(name: str) -> SettingsMenu:
    """Return `/system/identity`, whose name can be set."""
    kept: dict[str, Value] = {"name": name}

    def write(named: Mapping[str, Value]) -> None:
        kept.update({key: read_text(key, value) for key, value in named.items()})

    return SettingsMenu("/system/identity", lambda: dict(kept), write)


def ntp_menu() -> SettingsMenu:
    """Return `/system/ntp/client`, which is enabled and has no effect on the clock."""
    kept: dict[str, Value] = {"enabled": True}

    def write(named: Mapping[str, Value]) -> None:
        kept.update({key: read_bool(key, value) for key, value in named.items()})

    return SettingsMenu("/system/ntp/client", lambda: dict(kept), write)


def tracking_menu(version: str) -> SettingsMenu:
    """Return `/ip/firewall/connection/tracking`: the timeouts of UDP, with RouterOS's defaults. They have no effect."""
    default_s = 10 if is_between(version, since="7.12", until="7.17") else 30
    kept: dict[str, Value] = {"udp-timeout": Time(default_s * _SECOND_NS), "udp-stream-timeout": Time(180 * _SECOND_NS)}

    def write(named: Mapping[str, Value]) -> None:
        kept.update({key: read_span(key, value) for key, value in named.items()})

    return SettingsMenu("/ip/firewall/connection/tracking", lambda: dict(kept), write)


def clock_menu(version: str, now_ns: Callable[[], int] = time.time_ns) -> SettingsMenu:
    """Return `/system/clock`: date (in the format of 7.10 and later) and time, in UTC."""

    def read() -> Mapping[str, Value]:
        now = time.gmtime(now_ns() // _SECOND_NS)
        seconds = (now.tm_hour * 60 + now.tm_min) * 60 + now.tm_sec
        return {"date": time.strftime("%Y-%m-%d", now), "time": Time(seconds * _SECOND_NS), "time-zone-name": "UTC"}

    if not is_between(version, since="7.10"):
        raise NotImplementedInEmulator(f"/system/clock of {version}: the date had another format")
    return SettingsMenu("/system/clock", read)


class LogMenu:
    """`/log/info`, `/log/warning`, `/log/error` and `/log/debug`."""

    def __init__(self, write: Callable[[str, str], None]) -> None:
        self._write = write

    def call(self, call: Call) -> Value:
        """Write one line."""
        texts = [*call.unnamed, *call.named.values()]
        if call.verb not in ("debug", "info", "warning", "error") or set(call.named) - {"message"} or call.flags:
            raise NotImplementedInEmulator(f"/log/{call.verb} {' '.join([*call.named, *call.flags])}")
        if len(texts) != 1:
            raise ScriptError("missing value(s) of argument(s) message")
        self._write(call.verb, render(texts[0]))
        return Nothing()


class AddressesMenu(ItemMenu):
    """`/ip/address` and `/ipv6/address`, read-only: the addresses (prefix, interface) that existed at the start."""

    def __init__(self, path: str, addresses: Iterable[tuple[Value, str]]) -> None:
        super().__init__(path, {}, ("address", "interface", "disabled", "dynamic"))
        for prefix, interface in addresses:
            self.append({"address": prefix, "interface": interface, "disabled": False, "dynamic": False})

    def check(self, kept: Mapping[str, Value], item: Item | None) -> None:
        """Reject every change."""
        raise NotImplementedInEmulator(f"{self.path}: {'add' if item is None else 'set'} of {', '.join(kept)}")
