"""Which way an interface's peers are read. Edge: talks to WireGuard through one of the two edges."""

from dataclasses import replace

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.wireguard.dump import Dump, InterfaceMissing, NotWireguard, Wireguard
from wgmqtt.wireguard.kernel import KernelWireguard
from wgmqtt.wireguard.userspace import UserspaceWireguard

__all__ = ["AutoWireguard", "Dump", "InterfaceMissing", "NotWireguard", "Wireguard", "choose"]

SETTINGS = ("auto", "kernel", "userspace")


class AutoWireguard:
    """The kernel first; an interface that it does not have, or that is not its WireGuard, by its userspace socket.

    Asked anew at each dump, so that an interface may come late, or come back as the other kind.
    """

    def __init__(self, kernel: Wireguard, userspace: Wireguard) -> None:
        self._kernel = kernel
        self._userspace = userspace
        self._by_socket: set[str] = (
            set()
        )  # asked there first: a kernel without WireGuard runs modprobe at each question

    async def dump(self, interface: str) -> Dump:
        """Return the peers of `interface`, as `Wireguard.dump` says; if both refuse, what the kernel said."""
        if interface in self._by_socket:
            try:
                return await self._userspace.dump(interface)
            except InterfaceMissing:
                self._by_socket.discard(interface)
        try:
            return await self._kernel.dump(interface)
        except (InterfaceMissing, NotWireguard) as refused:
            try:
                found = await self._userspace.dump(interface)
            except InterfaceMissing as missing:
                if isinstance(refused, InterfaceMissing):
                    raise refused from None
                both = f"{refused.problems[0].what}, and {missing.problems[0].what}"
                raise NotWireguard(replace(refused.problems[0], what=both)) from None
        self._by_socket.add(interface)
        return found

    def close(self) -> None:
        """Close both edges."""
        self._kernel.close()
        self._userspace.close()


def choose(setting: str) -> Wireguard:
    """Return the way to read WireGuard that the configuration's `wireguard` names: auto, kernel or userspace."""
    match setting:
        case "kernel":
            return KernelWireguard()
        case "userspace":
            return UserspaceWireguard()
        case "auto":
            return AutoWireguard(KernelWireguard(), UserspaceWireguard())
    raise EdgeError(Problem("wireguard", "an unknown way to read it", ", ".join(SETTINGS), repr(setting)))
