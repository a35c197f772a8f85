"""A WireGuard interface as the menus see it: its peers, and how to set them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


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
