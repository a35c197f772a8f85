"""The real surroundings of a router: the network namespace that the process runs in, by wg(8), ping(8) and ip(8)."""

import json
import subprocess
import time
from collections.abc import Callable
from threading import Thread

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Value
from lab.routeros.menus.arguments import read_prefixes
from lab.routeros.menus.device import DevicePeer, DeviceState, Settings
from lab.routeros.menus.ping import Probing
from lab.routeros.mqtt.link import Link
from lab.routeros.surroundings import Surroundings

_NONE = "(none)"
_OFF = "off"
_WG_TIMEOUT_S = 5


def real_surroundings(interface: str) -> Surroundings:
    """Return the surroundings of a router in this namespace, on the WireGuard interface of this name."""
    return Surroundings(RealClock(), WgDevice(interface), ping_for_real, Link, read_ip_addresses)


class RealClock:
    """The machine's clock and threads."""

    def now_ns(self) -> int:
        """Return Unix time."""
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def start(self, work: Callable[[], None], name: str) -> None:
        """Run `work` in a daemon thread."""
        Thread(target=work, name=name, daemon=True).start()


class WgDevice:
    """The WireGuard interface `name`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def state(self) -> DeviceState:
        """Return the current state of the device."""
        return parse_dump(self._run("show", self.name, "dump"))

    def peer(self, public_key: str) -> DevicePeer | None:
        """Return the current state of one peer, None if the device has no peer with this key."""
        return self.state().peers.get(public_key)

    def set_peer(self, public_key: str, settings: Settings) -> None:
        """Set some properties of a peer; create it if it does not exist."""
        arguments: list[str] = []
        if settings.preshared_key is not None:
            arguments += ["preshared-key", "/dev/stdin" if settings.preshared_key else "/dev/null"]
        if settings.endpoint is not None:
            address, port = settings.endpoint
            arguments += ["endpoint", f"[{address}]:{port}" if ":" in address else f"{address}:{port}"]
        if settings.keepalive_s is not None:
            arguments += ["persistent-keepalive", str(settings.keepalive_s)]
        if settings.allowed is not None:
            arguments += ["allowed-ips", ",".join(settings.allowed)]
        self._run("set", self.name, "peer", public_key, *arguments, stdin=settings.preshared_key or "")

    def remove_peer(self, public_key: str) -> None:
        """Remove a peer from the device."""
        self._run("set", self.name, "peer", public_key, "remove")

    def _run(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["wg", *arguments], input=stdin, capture_output=True, text=True, timeout=_WG_TIMEOUT_S, check=False
        )
        if done.returncode:
            raise ScriptError(f"failure: wg {arguments[0]}: {done.stderr.strip()}")
        return done.stdout


def parse_dump(text: str) -> DeviceState:
    """Return the state in the output of `wg show IF dump` (wg(8), "show": tabs between fields).

    Raises:
        ValueError: the text has another format.
    """
    device, *others = [line.split("\t") for line in text.splitlines()]
    private_key, public_key, listen_port, _ = device
    peers = [_parse_peer(fields) for fields in others]
    return DeviceState(
        _or_empty(private_key), _or_empty(public_key), int(listen_port), {p.public_key: p for p in peers}
    )


def _parse_peer(fields: list[str]) -> DevicePeer:
    key, preshared, endpoint, allowed, handshake, rx, tx, keepalive = fields
    return DevicePeer(
        public_key=key,
        preshared_key=_or_empty(preshared),
        endpoint=_parse_endpoint(endpoint),
        allowed=tuple(_or_empty(allowed).split(",")) if _or_empty(allowed) else (),
        handshake_s=int(handshake),
        rx=int(rx),
        tx=int(tx),
        keepalive_s=0 if keepalive == _OFF else int(keepalive),
    )


def _parse_endpoint(text: str) -> tuple[str, int] | None:
    if text == _NONE:
        return None
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


def _or_empty(text: str) -> str:
    return "" if text == _NONE else text


def ping_for_real(probing: Probing) -> bool:
    """Send one probe with ping(8) and return whether there was a reply.

    Raises:
        ScriptError: there is no route (the text of RouterOS's error is assumed).
    """
    command = ["ping", "-n", "-q", "-c", "1", "-W", f"{probing.interval_s:.3f}", *probing.options, probing.address]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        reason = done.stderr.strip().removeprefix("ping: ")
        if "unreachable" not in reason:
            raise NotImplementedInEmulator(f"ping: {reason}")
        raise ScriptError("no route to host")
    return done.returncode == 0


def read_ip_addresses() -> list[tuple[Value, str]]:
    """Return prefix and interface of the IPv4 addresses in the namespace, by ip(8)."""
    done = subprocess.run(["ip", "-json", "-4", "address"], capture_output=True, text=True, check=True)
    return [
        (read_prefixes("address", f"{entry['local']}/{entry['prefixlen']}").items[0], link["ifname"])
        for link in json.loads(done.stdout or "[]")
        for entry in link.get("addr_info", [])
    ]
