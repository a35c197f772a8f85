"""What a dump of a WireGuard interface gives, whichever way it is read, and how it can fail."""

from dataclasses import dataclass
from typing import Protocol

from wgmqtt.errors import EdgeError
from wgmqtt.wireguard.snapshot import Device, Snapshot


class InterfaceMissing(EdgeError):  # noqa: N818 - a state of the hub, which the daemon waits out
    """The interface does not exist now. It may come back: wg-quick and networkd delete it and create it again."""


class NotWireguard(EdgeError):  # noqa: N818 - likewise
    """The interface, or the kernel, does not speak WireGuard."""


@dataclass(frozen=True, slots=True)
class Dump:
    """The peers of one interface. Not `complete`: peers were added or removed meanwhile, and some may be left out."""

    snapshot: Snapshot
    complete: bool
    device: Device


class Wireguard(Protocol):
    """One way to read dumps. A dump waits until the one before has ended; a failed one leaves nothing half open."""

    async def dump(self, interface: str) -> Dump:
        """Return the peers of `interface`.

        Raises:
            InterfaceMissing, NotWireguard: as their names say.
            EdgeError: no permission, no answer in time, messages lost.
            DecodeError: a malformed answer.
        """

    def close(self) -> None:
        """Close what is open; a later dump opens it again."""
