"""Dumps of a real wireguard-go: another one connects to it and roams, and interfaces disappear."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import pytest

from lab.network.netns import Namespace, Rack
from lab.network.wireguard import Device, PeerConfig
from lab.testbed.events import PATIENCE_S
from wgmqtt.errors import EdgeError
from wgmqtt.model import Endpoint, PublicKey, parse_public_key
from wgmqtt.wireguard.auto import AutoWireguard
from wgmqtt.wireguard.dump import Dump, InterfaceMissing, NotWireguard
from wgmqtt.wireguard.kernel import KernelWireguard
from wgmqtt.wireguard.snapshot import Differences, differences, peer_state
from wgmqtt.wireguard.userspace import UserspaceWireguard

pytestmark = pytest.mark.lab

HUB, SITE, OTHER = "192.0.2.1", "192.0.2.2", "192.0.2.3"
ABSENT = "A" * 43 + "="
ABSENT_ENDPOINT = "198.51.100.1:4242"


class Pair:
    """A hub and a site on one cable, both with wireguard-go; the hub has one more peer, which never connects."""

    def __init__(self, rack: Rack) -> None:
        self.hub_machine, self.site_machine = rack.namespace("hub"), rack.namespace("site")
        peer = f"link add wan type veth peer name wan netns {self.site_machine.name}"
        self.hub_machine.ip(peer, f"addr add {HUB}/24 dev wan", "link set wan up")
        self.site_machine.ip(f"addr add {SITE}/24 dev wan", "link set wan up")
        self.hub, self.site = Device(self.hub_machine, 51820, "go"), Device(self.site_machine, 51821, "go")
        self.configure_hub()
        to_hub = PeerConfig(self.hub.keys.public, ["10.9.0.0/24"], f"{HUB}:51820")
        self.site.configure([to_hub], ["10.9.0.2/24"])

    def configure_hub(self) -> None:
        """Configure the peers of the hub's device."""
        absent = PeerConfig(ABSENT, ["10.9.0.9/32"], ABSENT_ENDPOINT)
        self.hub.configure([PeerConfig(self.site.keys.public, ["10.9.0.2/32"]), absent], ["10.9.0.1/24"])

    @property
    def site_key(self) -> PublicKey:
        """Return the site's key."""
        return parse_public_key(self.site.keys.public)

    def ping(self) -> None:
        """Send from the site to the hub through the tunnel until one answer arrives."""
        self.site_machine.run("ping", "-c", "1", "-i", "0.2", "-w", "60", "10.9.0.1")


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Rack() as rack:
        yield Pair(rack)


def dump(machine: Namespace, answer_within_s: float = PATIENCE_S) -> Dump:
    return asyncio.run(UserspaceWireguard(machine.sockets, answer_within_s).dump("wg0"))


def changes(before: Dump, after: Dump) -> Differences:
    return differences(before.snapshot, after.snapshot, complete=after.complete, now_s=time.time())


def test_dump_sees_endpoint_handshake_and_counters_as_wg_does(pair: Pair) -> None:
    first = dump(pair.hub_machine)
    pair.ping()
    second = dump(pair.hub_machine)
    shown = pair.hub.dump()
    assert first.device.listen_port == 51820
    assert {str(PublicKey(key)) for key in second.snapshot} == set(shown) == {ABSENT, pair.site.keys.public}
    (changed,) = changes(first, second).changed
    assert (changed.key, changed.endpoint) == (pair.site_key, Endpoint(SITE, 51821))
    assert int(changed.handshake_s) == shown[pair.site.keys.public].handshake_s
    assert abs(time.time() - changed.handshake_s) < PATIENCE_S
    assert changed.rx > 0
    assert str(peer_state(*next(p for p in second.snapshot.items() if p[0] == bytes(32))).endpoint) == ABSENT_ENDPOINT


def test_dump_sees_a_peer_that_roams(pair: Pair) -> None:
    """To another port, then to another address; the session continues, so the handshake need not change."""
    pair.ping()
    before = dump(pair.hub_machine)
    pair.site_machine.run("wg", "set", "wg0", "listen-port", "60001")
    pair.ping()
    moved = dump(pair.hub_machine)
    assert [(one.key, one.endpoint) for one in changes(before, moved).changed] == [
        (pair.site_key, Endpoint(SITE, 60001))
    ]
    pair.site_machine.ip(f"addr del {SITE}/24 dev wan", f"addr add {OTHER}/24 dev wan")
    pair.site.set_endpoint(pair.hub.keys.public, f"{HUB}:51820")  # wireguard-go keeps using its old source address
    pair.ping()
    away = dump(pair.hub_machine)
    assert [(one.key, one.endpoint) for one in changes(moved, away).changed] == [
        (pair.site_key, Endpoint(OTHER, 60001))
    ]


def test_dump_after_a_peer_was_removed_says_so(pair: Pair) -> None:
    before = dump(pair.hub_machine)
    pair.hub_machine.run("wg", "set", "wg0", "peer", ABSENT, "remove")
    assert changes(before, dump(pair.hub_machine)) == Differences((), (PublicKey(bytes(32)),))


@pytest.mark.parametrize("way", ["userspace", "auto"])
def test_interface_deleted_and_made_again_is_missed_and_found(pair: Pair, way: str) -> None:
    """One event loop and one connection throughout, as in the daemon."""
    userspace = UserspaceWireguard(pair.hub_machine.sockets)
    wireguard = AutoWireguard(KernelWireguard(), userspace) if way == "auto" else userspace
    expected = (InterfaceMissing, NotWireguard) if way == "auto" else InterfaceMissing

    async def scenario() -> None:
        assert len((await wireguard.dump("wg0")).snapshot) == 2
        pair.hub_machine.ip("link del wg0")
        assert pair.hub.process is not None
        pair.hub.process.wait(PATIENCE_S)
        for _ in range(2):
            with pytest.raises(expected):
                await wireguard.dump("wg0")
        pair.hub = Device(pair.hub_machine, 51820, "go")
        pair.configure_hub()
        assert len((await wireguard.dump("wg0")).snapshot) == 2
        wireguard.close()

    asyncio.run(scenario())


def test_daemon_that_is_stopped_times_out(pair: Pair) -> None:
    """After SIGSTOP, the socket accepts the question and nobody answers."""
    assert pair.hub.process is not None
    os.kill(pair.hub.process.pid, signal.SIGSTOP)
    with pytest.raises(EdgeError, match="did not answer in time"):
        dump(pair.hub_machine, answer_within_s=0.3)
    os.kill(pair.hub.process.pid, signal.SIGCONT)
    assert len(dump(pair.hub_machine).snapshot) == 2


def test_socket_of_another_user_names_the_capability(pair: Pair) -> None:
    """Only its owner can use the socket of wireguard-go."""
    os.seteuid(65534)
    try:
        with pytest.raises(EdgeError, match=r"not allowed to use the socket .*CAP_DAC_OVERRIDE"):
            dump(pair.hub_machine)
    finally:
        os.seteuid(0)
