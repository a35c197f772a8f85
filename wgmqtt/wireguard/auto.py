"""Choose how an interface's peers are read: from the kernel or from a userspace implementation."""

from dataclasses import replace

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.wireguard.dump import Dump, InterfaceMissing, NotWireguard, Wireguard
from wgmqtt.wireguard.kernel import KernelWireguard
from wgmqtt.wireguard.userspace import UserspaceWireguard

__all__ = ["AutoWireguard", "Dump", "InterfaceMissing", "NotWireguard", "Wireguard", "choose"]

SETTINGS = ("auto", "kernel", "userspace")


class AutoWireguard:
    """Reads from the kernel; where the kernel has no such WireGuard interface, from a userspace socket.

    Decided at each dump, so an interface may appear late, or come back as the other kind.
    """

    def __init__(self, kernel: Wireguard, userspace: Wireguard) -> None:
        self._kernel = kernel
        self._userspace = userspace
        # Interfaces whose socket is tried first: a kernel without WireGuard runs modprobe at every request.
        self._userspace_first: set[str] = set()

    async def dump(self, interface: str) -> Dump:
        """Return the peers of `interface`, see `Wireguard.dump`. If both ways fail, raise the kernel's error."""
        if interface in self._userspace_first:
            try:
                return await self._userspace.dump(interface)
            except InterfaceMissing:
                self._userspace_first.discard(interface)
        try:
            return await self._kernel.dump(interface)
        except (InterfaceMissing, NotWireguard) as rejected:
            try:
                found = await self._userspace.dump(interface)
            except InterfaceMissing as missing:
                if isinstance(rejected, InterfaceMissing):
                    raise rejected from None
                both = f"{rejected.problems[0].what}, and {missing.problems[0].what}"
                raise NotWireguard(replace(rejected.problems[0], what=both)) from None
        self._userspace_first.add(interface)
        return found

    def close(self) -> None:
        """Close both ways."""
        self._kernel.close()
        self._userspace.close()


def choose(setting: str) -> Wireguard:
    """Return the way to read WireGuard that the configuration's `wireguard` names: auto, kernel or userspace.

    Raises:
        EdgeError: there is no such way.
    """
    match setting:
        case "kernel":
            return KernelWireguard()
        case "userspace":
            return UserspaceWireguard()
        case "auto":
            return AutoWireguard(KernelWireguard(), UserspaceWireguard())
    raise EdgeError(Problem("wireguard", "an unknown way to read it", ", ".join(SETTINGS), repr(setting)))
