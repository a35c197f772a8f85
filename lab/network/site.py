"""A site: a machine with a WireGuard device, behind a NAT box whose public address can change."""

import time

from lab.network.addresses import HUB_TUNNEL, SITE_PORT, Plan, add_address, prefix_length
from lab.network.nat import NatBox
from lab.network.netns import Namespace
from lab.network.shell import CommandError
from lab.network.wireguard import Device, Kind, PeerState


class Site:
    """One site behind a NAT box, which has the public address. Sites behind one box (`home`) move together."""

    def __init__(self, plan: Plan, home: Plan, box: NatBox, namespace: Namespace, kind: Kind) -> None:
        self.plan = plan
        self.home = home
        self.name = plan.name
        self.box = box
        self.namespace = namespace
        self.device = Device(namespace, SITE_PORT, kind)

    @property
    def wan_address(self) -> str:
        """Return the public address."""
        return self.box.wan_address

    @property
    def public_key(self) -> str:
        """Return the site's public key."""
        return self.device.keys.public

    @property
    def other_wan_address(self) -> str:
        """Return the public address that the next move gives the site."""
        home, away = self.home.wan(1), self.home.wan(2)
        return away if self.wan_address == home else home

    def peer(self, other: "Site") -> PeerState:
        """Return the state of the direct peer `other` in this site's WireGuard."""
        return self.device.dump()[other.public_key]

    def pings(self, address: str, timeout_s: float = 1.0) -> bool:
        """Return whether `address` answers one ping from this site."""
        try:
            self.namespace.run("ping", "-n", "-c", "1", "-W", str(timeout_s), address)
        except CommandError:
            return False
        return True

    def reaches_directly(self, other: "Site", timeout_s: float = 1.0) -> bool:
        """Return whether the other's probe address answers a ping, and the direct peer's receive counter grew."""
        before = self.peer(other).rx
        return self.pings(other.plan.probe, timeout_s) and self.peer(other).rx > before

    def send_to(self, other: "Site") -> None:
        """Send one packet to the other's probe address without waiting for an answer."""
        self.pings(other.plan.probe, 0.01)

    def send_to_hub(self) -> None:
        """Send one packet to the hub through the tunnel without waiting for an answer."""
        self.namespace.start("ping", "-n", "-c", "1", "-W", "1", HUB_TUNNEL)

    def change_address(self, address: str, gap_s: float) -> None:
        """Remove the public address and all NAT mappings, and add `address` after `gap_s`."""
        length = prefix_length(self.plan.family)
        self.box.namespace.ip(f"addr del {self.wan_address}/{length} dev wan")
        self.box.forget()
        if gap_s:
            time.sleep(gap_s)
        # Nothing is routed without an address, so no mapping was created meanwhile.
        self.box.namespace.ip(add_address(address, length, "wan"))
        self.box.wan_address = address

    def move(self, gap_s: float = 0.0) -> None:
        """Move from the home address to the other one."""
        assert self.wan_address == self.home.wan(1), "already away"
        self.change_address(self.home.wan(2), gap_s)

    def move_back(self, gap_s: float = 0.0) -> None:
        """Move back to the home address."""
        assert self.wan_address == self.home.wan(2), "at home"
        self.change_address(self.home.wan(1), gap_s)
