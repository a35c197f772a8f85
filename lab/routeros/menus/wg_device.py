"""The site's WireGuard device. Edge: runs wg(8) in the site's own network namespace."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lab.routeros.language.errors import ScriptError

_NONE = "(none)"
_OFF = "off"
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class DevicePeer:
    """One peer as `wg show IF dump` has it; `handshake_s` is Unix time, 0 if there was none."""

    public_key: str
    preshared_key: str
    endpoint: tuple[str, int] | None
    allowed: tuple[str, ...]
    handshake_s: int
    rx: int
    tx: int
    keepalive_s: int


@dataclass(frozen=True, slots=True)
class DeviceState:
    """The device and its peers by public key, in the device's order."""

    private_key: str
    public_key: str
    listen_port: int
    peers: Mapping[str, DevicePeer]


@dataclass(frozen=True, slots=True)
class Settings:
    """What `wg set` is to set of a peer; None leaves a part alone."""

    endpoint: tuple[str, int] | None = None
    allowed: tuple[str, ...] | None = None
    keepalive_s: int | None = None
    preshared_key: str | None = None


def parse_dump(text: str) -> DeviceState:
    """Return the state in the output of `wg show IF dump` (wg(8), "show": tabs between fields).

    Raises:
        ValueError: not such an output.
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


class Device(Protocol):
    """A WireGuard interface."""

    name: str

    def state(self) -> DeviceState:
        """Return the device as it is now."""
        ...

    def peer(self, public_key: str) -> DevicePeer | None:
        """Return one peer as it is now, None if the device has none of this key."""
        ...

    def set_peer(self, public_key: str, settings: Settings) -> None:
        """Set parts of a peer; makes it if it is not there."""
        ...

    def remove_peer(self, public_key: str) -> None:
        """Take a peer off the device."""
        ...


class WgDevice:
    """The WireGuard interface `name`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def state(self) -> DeviceState:
        """Return the device as it is now."""
        return parse_dump(self._run("show", self.name, "dump"))

    def peer(self, public_key: str) -> DevicePeer | None:
        """Return one peer as it is now, None if the device has none of this key."""
        return self.state().peers.get(public_key)

    def set_peer(self, public_key: str, settings: Settings) -> None:
        """Set parts of a peer; makes it if it is not there."""
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
        """Take a peer off the device."""
        self._run("set", self.name, "peer", public_key, "remove")

    def _run(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["wg", *arguments], input=stdin, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            raise ScriptError(f"failure: wg {arguments[0]}: {done.stderr.strip()}")
        return done.stdout
