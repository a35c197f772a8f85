"""A WireGuard interface as the menus see it: its peers, and how to set them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DevicePeer:
    """One peer as in `wg show IF dump`; `handshake_s` is Unix time, 0 if there was no handshake."""

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
    """The device, and its peers by public key in the device's order."""

    private_key: str
    public_key: str
    listen_port: int
    peers: Mapping[str, DevicePeer]


@dataclass(frozen=True, slots=True)
class Settings:
    """The properties of a peer to set; None leaves one unchanged."""

    endpoint: tuple[str, int] | None = None
    allowed: tuple[str, ...] | None = None
    keepalive_s: int | None = None
    preshared_key: str | None = None


class Device(Protocol):
    """A WireGuard interface."""

    name: str

    def state(self) -> DeviceState:
        """Return the current state of the device."""
        ...

    def peer(self, public_key: str) -> DevicePeer | None:
        """Return the current state of one peer, None if the device has no peer with this key."""
        ...

    def set_peer(self, public_key: str, settings: Settings) -> None:
        """Set some properties of a peer; create it if it does not exist."""
        ...

    def remove_peer(self, public_key: str) -> None:
        """Remove a peer from the device."""
        ...
