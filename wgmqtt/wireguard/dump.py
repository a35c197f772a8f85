"""What one look at a WireGuard interface gives, whichever way it is asked, and how it can fail. Pure."""

from dataclasses import dataclass
from typing import Protocol

from wgmqtt.errors import EdgeError
from wgmqtt.wireguard.kernel_decode import Device, Snapshot


class InterfaceMissing(EdgeError):  # noqa: N818 - a state of the hub, which the daemon waits out
    """There is no such interface now. It may come back: wg-quick and networkd delete it and make it again."""


class NotWireguard(EdgeError):  # noqa: N818 - likewise
    """There is an interface, or a kernel, that does not speak WireGuard."""


@dataclass(frozen=True, slots=True)
class Dump:
    """Every peer of one interface. Not `complete`: peers came or went meanwhile, and some may be left out."""

    snapshot: Snapshot
    complete: bool
    device: Device


class Wireguard(Protocol):
    """One way to ask for dumps. Each dump waits for the one before; a failure leaves nothing half open."""

    async def dump(self, interface: str) -> Dump:
        """Return the peers of `interface`.

        Raises:
            InterfaceMissing, NotWireguard: as their names say.
            EdgeError: no permission, no answer in time, messages lost.
            DecodeError: an answer that cannot be read.
        """

    def close(self) -> None:
        """Give back what is open; a later dump opens it again."""
