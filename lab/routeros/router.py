"""One router: its version, its switches, its menus, and the scripts that run on it.

A message that matches a subscription with a handler starts a thread, because RouterOS runs handlers in parallel. A
handler does not see the `:global` variables of other scripts (manual, page MQTT).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Literal

from lab.routeros.events import Emit
from lab.routeros.language import interpreter
from lab.routeros.language.call import Call, GlobalVariables, Menu
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, ScriptSyntaxError
from lab.routeros.language.values import Value, readable, render
from lab.routeros.menus import system
from lab.routeros.menus.brokers import BrokersMenu
from lab.routeros.menus.certificate import CertificatesMenu
from lab.routeros.menus.environment import EnvironmentMenu
from lab.routeros.menus.items import Item
from lab.routeros.menus.mqtt import MqttMenu, SubscriptionsMenu
from lab.routeros.menus.ping import PingMenu
from lab.routeros.menus.wan import wan_menus
from lab.routeros.menus.wireguard import InterfaceMenu, PeersMenu, PeersOf
from lab.routeros.mqtt.link import LinkEvents
from lab.routeros.surroundings import Surroundings
from lab.routeros.switches import Switches

NO_PERMISSION = "not enough permissions (9)"
_PINGS = re.compile(r"/(tool[/ ]+)?ping\b")


@dataclass(frozen=True, slots=True)
class Site:
    """The site of a router: `version` such as `7.20.8`, the name of the WireGuard device, and a name for events.

    `files` is the directory that represents the router's files.
    """

    name: str
    interface: str
    version: str
    files: Path = Path()


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler to run for a message; `number` counts them."""

    number: int
    broker: str
    source: str
    topic: str
    payload: bytes


def _as_source(kept: str) -> str:
    """Return a stored script (one character per byte) as the interpreter expects it."""
    try:
        return kept.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise NotImplementedInEmulator("a script that is not UTF-8") from None


class ForbiddenMenu:
    """A menu that the running script has no permission for."""

    def call(self, call: Call) -> Value:
        """Reject the command.

        Raises:
            ScriptError: always.
        """
        raise ScriptError(NO_PERMISSION if call.verb else "")


class ScriptWorld:
    """The router as one script sees it (`call.World`)."""

    def __init__(self, router: "Router", variables: GlobalVariables, *, is_hook: bool) -> None:
        self.version = router.site.version
        self.unknowns = router.switches.unknowns
        self.globals = variables
        self._router = router
        self._is_hook = is_hook

    def menu(self, path: str) -> Menu:
        """Return the menu at an absolute path."""
        if self._is_hook and path in ("/tool", "/", "") and self._router.switches.hook_permissions != "all":
            return ForbiddenMenu()
        return self._router.menu(path)

    def put(self, text: str) -> None:
        """Report a line that `:put` prints."""
        self._router.emit("put", {"text": readable(text)})

    def log(self, topics: str, text: str) -> None:
        """Report a line that `:log` writes."""
        self._router.log(f"script,{topics}", text)

    def delay(self, seconds: float) -> None:
        """Wait."""
        self._router.clock.sleep(seconds)

    def now_ns(self) -> int:
        """Return Unix time."""
        return self._router.clock.now_ns()


class Router:
    """The router of one site."""

    def __init__(self, site: Site, switches: Switches, emit: Emit, around: Surroundings) -> None:
        self.site = site
        self.clock = around.clock
        self.switches = switches
        self.emit = emit
        self._absent = frozenset({"/iot"} if switches.iot_listed_not_installed else ())
        self._globals = GlobalVariables()
        self._hook_globals = GlobalVariables()
        self._numbers = count(1)
        self._lock = Lock()
        self._running: dict[str, int] = {}
        self._certificates = CertificatesMenu(site.files, switches.imported_name)
        self._brokers = BrokersMenu(site.version, self._certificates, self._link_events, around.make_link)
        self._subscriptions = SubscriptionsMenu(self._brokers)
        self._menus = self._make_menus(around)

    def menu(self, path: str) -> Menu:
        """Return the menu at an absolute path.

        Raises:
            ScriptSyntaxError: its package is not installed.
            NotImplementedInEmulator: the emulator does not have this menu.
        """
        if any((path + "/").startswith(menu + "/") for menu in self._absent):
            raise ScriptSyntaxError(f"bad command name {path.split('/')[1]}")
        if path not in self._menus:
            raise NotImplementedInEmulator(f"menu {path or '/'}")
        return self._menus[path]

    def run_import(self, text: str) -> None:
        """Run the text of a file as `/import` does; raises ScriptError."""
        self._run(text, "import")

    def run_script(self, text: str) -> Value:
        """Run a script as `/system/script/run` does; raises ScriptError."""
        return self._run(text, "script")

    def deliver(self, broker: str, topic: str, payload: bytes) -> None:
        """Receive a message from a broker: report it, and start its handler, if there is one."""
        self.emit("message", {"broker": broker, "topic": topic, "bytes": len(payload)})
        chosen = self._subscriptions.chosen(broker, topic)
        source = render(chosen.kept["on-message"]) if chosen else ""
        if not source:
            return
        handler = Handler(next(self._numbers), broker, source, topic, payload)
        self._count_in(broker)
        self.clock.start(lambda: self._handle(handler), f"handler {handler.number}")

    def inject(self, topic: str, payload: bytes) -> None:
        """Receive a message as if a broker had sent it: the broker of the first subscription that matches."""
        names = [render(item.kept["name"]) for item in self._brokers.items.values()]
        takers = [name for name in names if self._subscriptions.chosen(name, topic)]
        self.deliver(takers[0] if takers else "", topic, payload)

    def cut_mqtt(self) -> None:
        """Break the TCP connection to every broker."""
        for link in self._brokers.links():
            link.cut()

    def close(self) -> None:
        """Close the links."""
        for link in self._brokers.links():
            link.close()
            link.join()

    def log(self, topics: str, text: str) -> None:
        """Report a line of the log."""
        self.emit("log", {"topics": topics, "text": readable(text)})

    def _run(self, text: str, scope: Literal["import", "script"]) -> Value:
        world = ScriptWorld(self, self._globals, is_hook=False)
        return interpreter.run(text, world, scope=scope, absent=self._absent)

    def _handle(self, handler: Handler) -> None:
        began_ns = self.clock.now_ns()
        self.emit("handler-start", {"n": handler.number, "topic": handler.topic})
        error = ""
        try:
            self._run_handler(handler)
        except ScriptError as failure:
            error = str(failure)
            self.log("script,error", f"on-message of {handler.topic}: {error}")
        finally:
            self._count_out(handler.broker)
        ms = round((self.clock.now_ns() - began_ns) / 1e6, 1)
        self.emit("handler-done", {"n": handler.number, "ok": not error, "error": readable(error), "ms": ms})

    def _run_handler(self, handler: Handler) -> None:
        if self.switches.hook_permissions == "refuse-hook" and _PINGS.search(handler.source):
            raise ScriptError(NO_PERMISSION)
        shared = self.switches.hook_globals == "shared"
        world = ScriptWorld(self, self._hook_globals if shared else GlobalVariables(), is_hook=True)
        topic = handler.topic.encode().decode("latin-1")
        given: Mapping[str, Value] = {"msgData": handler.payload.decode("latin-1"), "msgTopic": topic}
        interpreter.run(_as_source(handler.source), world, locals=given, absent=self._absent)

    def _count_in(self, broker: str) -> None:
        limit = self._limit(self._brokers.named(broker))
        with self._lock:
            self._running[broker] = self._running.get(broker, 0) + 1
            if limit is not None and self._running[broker] > limit:
                raise NotImplementedInEmulator(f"more handlers at once than parallel-scripts-limit={limit} allows")

    def _count_out(self, broker: str) -> None:
        with self._lock:
            self._running[broker] -= 1

    @staticmethod
    def _limit(broker: Item) -> int | None:
        limit = broker.kept["parallel-scripts-limit"]
        return limit if isinstance(limit, int) else None

    def _link_events(self, broker: str) -> LinkEvents:
        return LinkEvents(
            connected=lambda: self.emit("connected", {"broker": broker}),
            disconnected=lambda reason: self.emit("disconnected", {"broker": broker, "reason": reason}),
            message=lambda topic, payload: self.deliver(broker, topic, payload),
        )

    def _make_menus(self, around: Surroundings) -> Mapping[str, Menu]:
        version, iot = self.site.version, not self.switches.iot_listed_not_installed
        return {
            "/certificate": self._certificates,
            "/interface/wireguard": InterfaceMenu(around.device),
            "/interface/wireguard/peers": PeersMenu(
                PeersOf(around.device, self.clock.now_ns), version, self.switches, self.emit
            ),
            "/iot/mqtt": MqttMenu(self._brokers, version, self.emit),
            "/iot/mqtt/brokers": self._brokers,
            "/iot/mqtt/subscriptions": self._subscriptions,
            "/ip/address": system.AddressesMenu("/ip/address", around.addresses()),
            "/ip/firewall/connection/tracking": system.tracking_menu(version),
            "/ipv6/address": system.AddressesMenu("/ipv6/address", ()),
            "/log": system.LogMenu(lambda topics, text: self.log(f"script,{topics}", text)),
            "/system/clock": system.clock_menu(version, self.clock.now_ns),
            "/system/identity": system.identity_menu(self.site.name),
            "/system/ntp/client": system.ntp_menu(),
            "/system/package": system.PackagesMenu(version, iot_installed=iot, iot_listed=not iot),
            "/system/resource": system.resource_menu(version),
            "/system/script/environment": EnvironmentMenu(self._globals, self._hook_globals),
            **dict.fromkeys(
                ("/tool", "/", ""), PingMenu(self.emit, around.probe, self.clock, self.switches.ping_lasts)
            ),
            **wan_menus(version),
        }
