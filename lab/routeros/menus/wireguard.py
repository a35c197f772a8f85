"""`/interface/wireguard` and its peers, on a WireGuard device.

Types are those of MikroTik's console reference, /interface/wireguard/peers: endpoint-address is an address or a name,
rx and tx are numbers, last-handshake is a time. The menu stores the configured properties; live ones are read from the
device when they are needed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from lab.routeros.events import Emit
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Array, Ip, Ip6, Time, Value, render
from lab.routeros.menus.arguments import read_address, read_bool, read_number, read_prefixes, read_span, read_text
from lab.routeros.menus.device import Device, DevicePeer, Settings
from lab.routeros.menus.items import Change, Item, ItemMenu, Reader
from lab.routeros.switches import Switches
from lab.routeros.versions import is_between

_SECOND_NS = 1_000_000_000
_LIVE = ("current-endpoint-address", "current-endpoint-port", "last-handshake", "rx", "tx")
_CLIENT = ("address", "allowed-address", "dns", "endpoint", "keepalive", "listen-port", "mtu")


class LiveProperties(Mapping[str, Value]):
    """The properties of a peer; the device is read once, and only when a live property is needed."""

    def __init__(self, kept: Mapping[str, Value], ask: Callable[[], Mapping[str, Value]]) -> None:
        self._kept = kept
        self._ask = ask
        self._answer: Mapping[str, Value] | None = None

    def _live(self) -> Mapping[str, Value]:
        if self._answer is None:
            self._answer = self._ask()
        return self._answer

    def __getitem__(self, name: str) -> Value:
        return self._live()[name] if name in _LIVE else self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._kept, *self._live()])

    def __len__(self) -> int:
        return len(self._kept) + len(self._live())


def peer_readers(version: str) -> Mapping[str, Reader]:
    """Return the arguments of add and set in this version that the emulator implements."""
    readers: dict[str, Reader] = {
        "interface": read_text,
        "public-key": read_text,
        "preshared-key": read_text,
        "endpoint-address": _read_endpoint_address,
        "endpoint-port": lambda name, value: read_number(name, value, 0, 65_535),
        "allowed-address": read_prefixes,
        "persistent-keepalive": read_span,
        "comment": read_text,
        "disabled": read_bool,
    }
    if is_between(version, since="7.15"):
        readers["name"] = read_text
    if is_between(version, since="7.15", until="7.16"):
        readers["is-responder"] = read_bool
    if is_between(version, since="7.17"):
        readers["responder"] = read_bool
    return readers


def _read_endpoint_address(name: str, value: Value) -> Value:
    text = read_text(name, value)
    if not text:
        return ""
    if not set("[]/ ") & set(text) and not text.replace(".", "").isdigit() and ":" not in text:
        raise NotImplementedInEmulator(f"{name}={text}: a DNS name")
    return read_address(name, value)


@dataclass(frozen=True, slots=True)
class PeersOf:
    """A device, and the clock (Unix time) that its handshakes are measured with."""

    device: Device
    now_ns: Callable[[], int]


class PeersMenu(ItemMenu):
    """`/interface/wireguard/peers`. At first its items are the peers that already exist on the device."""

    required = ("interface", "public-key", "allowed-address")
    lacking = frozenset({"private-key", *(f"client-{name}" for name in _CLIENT)})
    defaults: Mapping[str, Value] = {
        "endpoint-address": "",
        "endpoint-port": 0,
        "preshared-key": "",
        "disabled": False,
        "dynamic": False,
    }

    def __init__(self, site: PeersOf, version: str, switches: Switches, emit: Emit) -> None:
        super().__init__("/interface/wireguard/peers", peer_readers(version), (*_LIVE, "dynamic"))
        self._device = device = site.device
        self._now_ns = site.now_ns
        self._switches = switches
        self._emit = emit
        self.defaults = {**self.defaults, **{n: False for n in ("responder", "is-responder") if n in self.readers}}
        for number, peer in enumerate(device.state().peers.values(), 1):
            self.append(self._configured(peer, number))

    def properties(self, item: Item) -> Mapping[str, Value]:
        """Return the configured properties, and the live ones when they are read."""
        kept = {".id": item.id, **item.kept}
        kept["endpoint-address"] = self._typed(kept["endpoint-address"])
        return LiveProperties(kept, lambda: self._live(render(item.kept["public-key"])))

    def check(self, kept: Mapping[str, Value], item: Item | None) -> None:
        """Reject another interface, and a key that another peer has."""
        before = self._device.name if item is None else item.kept["interface"]
        if kept["interface"] not in (self._device.name, before):
            raise ScriptError("input does not match any value of interface")
        others = (other for other in self.items.values() if other is not item)
        if any(other.kept["public-key"] == kept["public-key"] for other in others):
            raise ScriptError("failure: peer already exists")
        if item is not None and kept["public-key"] != item.kept["public-key"]:
            raise NotImplementedInEmulator(f"{self.path}/set public-key")

    def added(self, item: Item) -> None:
        """Add the peer to the device."""
        if "name" in self.readers:
            item.kept.setdefault("name", f"peer{int(item.id.text[1:], 16)}")
        self._put(item)

    def removed(self, item: Item) -> None:
        """Remove the peer from the device."""
        self._device.remove_peer(render(item.kept["public-key"]))

    def changed(self, change: Change) -> None:
        """Apply a set to the device, and report it: each set is a write to flash, even if it changes nothing."""
        item, key = change.item, render(change.item.kept["public-key"])
        if change.named.get("disabled", change.before["disabled"]) != change.before["disabled"]:
            if item.kept["disabled"]:
                self._device.remove_peer(key)
            else:
                self._put(item)
        elif not item.kept["disabled"]:
            self._apply(item, change)
        changes = {name: render(value) for name, value in change.named.items() if name != "preshared-key"}
        self._emit("set", {"menu": self.path, "id": item.id.text, "public-key": key, "changes": changes})

    def _apply(self, item: Item, change: Change) -> None:
        """Apply the properties that the set gave; two switches define the effect of an unchanged endpoint."""
        parts = settings_of(item.kept)
        named = change.named.keys()
        touches = bool(named & {"endpoint-address", "endpoint-port"})
        same = touches and parts.endpoint == settings_of(change.before).endpoint
        if same and self._switches.same_endpoint_disturbs:
            self._device.remove_peer(render(item.kept["public-key"]))
            self._put(item)
            return
        settings = Settings(
            endpoint=parts.endpoint if touches and not (same and self._switches.same_endpoint_ignored) else None,
            allowed=parts.allowed if "allowed-address" in named else None,
            keepalive_s=parts.keepalive_s if "persistent-keepalive" in named else None,
            preshared_key=parts.preshared_key if "preshared-key" in named else None,
        )
        if settings != Settings():
            self._device.set_peer(render(item.kept["public-key"]), settings)

    def _put(self, item: Item) -> None:
        self._device.set_peer(render(item.kept["public-key"]), settings_of(item.kept))

    def _typed(self, address: Value) -> Value:
        return render(address) if self._switches.get_gives == "str" else address

    def _configured(self, peer: DevicePeer, number: int) -> Mapping[str, Value]:
        address, port = peer.endpoint or ("", 0)
        named: dict[str, Value] = {
            "interface": self._device.name,
            "public-key": peer.public_key,
            "preshared-key": peer.preshared_key,
            "endpoint-address": _parse_address(address),
            "endpoint-port": port,
            "allowed-address": read_prefixes("allowed-address", ",".join(peer.allowed)),
        }
        if peer.keepalive_s:
            named["persistent-keepalive"] = Time(peer.keepalive_s * _SECOND_NS)
        if "name" in self.readers:
            named["name"] = f"peer{number}"
        return {**self.defaults, **named}

    def _live(self, public_key: str) -> Mapping[str, Value]:
        peer = self._device.peer(public_key)
        if peer is None:  # disabled
            return {"current-endpoint-address": "", "current-endpoint-port": 0, "rx": 0, "tx": 0}
        address, port = peer.endpoint or ("", 0)
        live: dict[str, Value] = {"current-endpoint-port": port, "rx": peer.rx, "tx": peer.tx}
        live["current-endpoint-address"] = self._typed(_parse_address(address))
        if peer.handshake_s:
            live["last-handshake"] = Time(max(0, self._now_ns() // _SECOND_NS - peer.handshake_s) * _SECOND_NS)
        return live


def settings_of(kept: Mapping[str, Value]) -> Settings:
    """Return all settings of a peer on the device."""
    address, port = render(kept["endpoint-address"]), kept["endpoint-port"]
    allowed, keepalive = kept["allowed-address"], kept.get("persistent-keepalive", Time(0))
    assert isinstance(port, int)
    assert isinstance(allowed, Array)
    assert isinstance(keepalive, Time)
    return Settings(
        endpoint=(address, port) if address and port else None,
        allowed=tuple(map(render, allowed.items)),
        keepalive_s=keepalive.ns // _SECOND_NS,
        preshared_key=render(kept["preshared-key"]),
    )


def _parse_address(text: str) -> Value:
    if not text:
        return ""
    address = ip_address(text.partition("%")[0])
    return Ip(address) if address.version == 4 else Ip6(address)


class InterfaceMenu(ItemMenu):
    """`/interface/wireguard`, read-only: the only interface."""

    def __init__(self, device: Device) -> None:
        super().__init__("/interface/wireguard", {}, ("name", "listen-port", "public-key", "running", "disabled"))
        self._device = device
        self.append({"name": device.name, "running": True, "disabled": False})

    def properties(self, item: Item) -> Mapping[str, Value]:
        """Return the fixed properties and those of the device."""
        state = self._device.state()
        return {".id": item.id, **item.kept, "listen-port": state.listen_port, "public-key": state.public_key}
