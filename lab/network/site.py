"""One customer's site: a machine with a WireGuard device, behind a NAT box that can move. Edge: talks to ip(8)."""

import time

from lab.network.addresses import HUB_TUNNEL, SITE_PORT, Plan, add_address, prefix_length
from lab.network.nat import NatBox
from lab.network.netns import Namespace
from lab.network.shell import CommandError
from lab.network.wireguard import Device, Kind, PeerState


class Site:
    """One site. The box before it has its public address; sites behind one box have that of `home`, and move as one."""

    def __init__(self, plan: Plan, home: Plan, box: NatBox, namespace: Namespace, kind: Kind) -> None:
        self.plan = plan
        self.home = home
        self.name = plan.name
        self.box = box
        self.namespace = namespace
        self.device = Device(namespace, SITE_PORT, kind)

    @property
    def wan_address(self) -> str:
        """Return its public address."""
        return self.box.wan_address

    @property
    def public_key(self) -> str:
        """Return the key by which hub and other sites know this one."""
        return self.device.keys.public

    @property
    def other_wan_address(self) -> str:
        """Return the public address that the site would get by a move now."""
        home, away = self.home.wan(1), self.home.wan(2)
        return away if self.wan_address == home else home

    def peer(self, other: "Site") -> PeerState:
        """Return what this site's WireGuard says of the direct peer `other`."""
        return self.device.dump()[other.public_key]

    def pings(self, address: str, timeout_s: float = 1.0) -> bool:
        """Return whether `address` answers one ping from this site."""
        try:
            self.namespace.run("ping", "-n", "-c", "1", "-W", str(timeout_s), address)
        except CommandError:
            return False
        return True

    def reaches_directly(self, other: "Site", timeout_s: float = 1.0) -> bool:
        """Return whether a ping to the other's probe address is answered and the direct peer's rx grew by it."""
        before = self.peer(other).rx
        return self.pings(other.plan.probe, timeout_s) and self.peer(other).rx > before

    def send_to(self, other: "Site") -> None:
        """Send one packet towards the other's probe address, and wait for nothing."""
        self.pings(other.plan.probe, 0.01)

    def speak_to_hub(self) -> None:
        """Send one packet to the hub through its tunnel, and wait for nothing."""
        self.namespace.start("ping", "-n", "-c", "1", "-W", "1", HUB_TUNNEL)

    def change_address(self, address: str, gap_s: float) -> None:
        """Lose the public address and every mapping; have `address` after `gap_s`."""
        length = prefix_length(self.plan.family)
        self.box.namespace.ip(f"addr del {self.wan_address}/{length} dev wan")
        self.box.forget()
        if gap_s:
            time.sleep(gap_s)
        # Without an address nothing was routed, so no mapping was made meanwhile.
        self.box.namespace.ip(add_address(address, length, "wan"))
        self.box.wan_address = address

    def move(self, gap_s: float = 0.0) -> None:
        """Get the public address away from home."""
        assert self.wan_address == self.home.wan(1), "already away"
        self.change_address(self.home.wan(2), gap_s)

    def move_back(self, gap_s: float = 0.0) -> None:
        """Get the public address at home again."""
        assert self.wan_address == self.home.wan(2), "at home"
        self.change_address(self.home.wan(1), gap_s)
