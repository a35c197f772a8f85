"""The lab's network itself: what its NAT boxes and moves do, without the product."""

import time

import pytest

from lab.network.addresses import HUB_TUNNEL, SITE_PORT, socket_text
from lab.network.nat import NatKind
from lab.network.shell import LabError
from lab.network.topology import Network, Site
from lab.testbed.events import PATIENCE_S, wait_until

pytestmark = pytest.mark.lab

# Longer than WireGuard waits before it repeats a handshake: 5 s and up to 333 ms (its paper, section 6.1).
NEVER_S = 7.0


def set_endpoint(network: Network, site: Site, other: Site) -> None:
    """Set the endpoint of `other` at `site` to the one that the hub sees."""
    seen = network.endpoint_at_hub(other)
    assert seen
    site.device.set_endpoint(other.public_key, socket_text(*seen))


def connect_to_hub(network: Network) -> list[Site]:
    """Return the sites after each has a session with the hub."""
    sites = list(network.sites.values())
    for site in sites:
        reach_hub(site)
    return sites


def reach_hub(site: Site) -> None:
    """Ping the hub through the tunnel until it answers."""
    wait_until(lambda: site.pings(HUB_TUNNEL), f"{site.name} reaches the hub")


def becomes_direct(site: Site, other: Site, within_s: float = PATIENCE_S) -> bool:
    """Return whether `site` reaches `other` directly within this time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if site.reaches_directly(other, 0.2):
            return True
    return False


def tracked(site: Site) -> str:
    """Return the connections that the site's NAT box tracks."""
    return site.box.namespace.run("conntrack", "--dump", "--family", f"ipv{site.plan.family}")


def test_hub_sees_sites_at_their_public_addresses(network: Network) -> None:
    for site in connect_to_hub(network):
        assert network.endpoint_at_hub(site) == (site.wan_address, SITE_PORT)


def test_sites_behind_nat_have_no_direct_path_until_both_send(network: Network) -> None:
    """Packets of one end alone do not arrive; as soon as the other end sends, too, they do."""
    one, other = connect_to_hub(network)
    set_endpoint(network, one, other)
    assert not becomes_direct(one, other, 1.0)
    assert other.peer(one).rx == 0
    set_endpoint(network, other, one)
    assert becomes_direct(other, one)
    assert becomes_direct(one, other)


def test_unsolicited_packet_creates_no_conntrack_entry(network: Network) -> None:
    """An entry would occupy the port that hole punching needs; a NAT box that accepts input creates one."""
    one, _ = connect_to_hub(network)
    network.hub.run("bash", "-c", f"echo knock > /dev/udp/{one.wan_address}/{SITE_PORT}")
    time.sleep(0.1)
    ports = [line for line in tracked(one).splitlines() if f"src={network.hub_address}" in line.split("sport=")[0]]
    assert ports == []


def test_move_changes_the_address_that_the_hub_sees_and_drops_the_mapping(network: Network) -> None:
    one, _ = connect_to_hub(network)
    old = one.wan_address
    assert f"dst={old} " in tracked(one)
    one.move()
    assert f"dst={old} " not in tracked(one)
    reach_hub(one)
    assert network.endpoint_at_hub(one) == (one.plan.wan(2), SITE_PORT)
    one.move_back(gap_s=0.2)
    reach_hub(one)
    assert network.endpoint_at_hub(one) == (old, SITE_PORT)


def test_move_drops_what_a_port_forward_let_in() -> None:
    """The kernel removes masqueraded flows together with the address, but not these."""
    with Network(nat=NatKind.FULL_CONE) as network:
        one, _ = connect_to_hub(network)
        old = one.wan_address
        network.hub.run("bash", "-c", f"echo knock > /dev/udp/{old}/{SITE_PORT}")
        assert f"src={network.hub_address} dst={old} " in tracked(one)
        one.move()
        assert f"dst={old} " not in tracked(one)


def test_moved_site_has_no_direct_path_until_the_other_gets_its_address(network: Network) -> None:
    one, other = connect_to_hub(network)
    set_endpoint(network, one, other)
    set_endpoint(network, other, one)
    assert becomes_direct(other, one)
    one.move()
    reach_hub(one)
    before = other.peer(one).rx
    assert not becomes_direct(one, other, 1.0)
    assert other.peer(one).rx == before
    set_endpoint(network, other, one)
    assert becomes_direct(other, one)


def test_cut_stops_every_packet_and_restore_ends_that(network: Network) -> None:
    one, other = connect_to_hub(network)
    network.cut(one)
    assert not one.pings(HUB_TUNNEL, 0.3)
    reach_hub(other)
    network.restore(one)
    reach_hub(one)


def test_site_behind_a_full_cone_is_reached_although_it_sent_nothing() -> None:
    with Network(nat={"site-b": NatKind.FULL_CONE}) as network:
        one, other = connect_to_hub(network)
        set_endpoint(network, one, other)
        assert becomes_direct(one, other)


def test_endpoint_dependent_nat_of_one_site_allows_no_direct_path() -> None:
    """The hub sees another port than the one to which the other site would have to send: RFC 4787, section 4.1."""
    with Network(nat={"site-a": NatKind.ENDPOINT_DEPENDENT}) as network:
        one, other = connect_to_hub(network)
        set_endpoint(network, one, other)
        set_endpoint(network, other, one)
        assert not becomes_direct(other, one, NEVER_S)
        assert (one.peer(other).rx, other.peer(one).rx) == (0, 0)


def test_direct_peers_with_endpoints_from_the_start_become_direct() -> None:
    with Network(3, knows_endpoints=True) as network:
        one, _, third = connect_to_hub(network)
        assert becomes_direct(one, third)


def test_delay_slows_every_packet() -> None:
    with Network() as network:
        one, _ = connect_to_hub(network)
        try:
            network.delay(30)
        except LabError:
            pytest.skip("no netem in this kernel")
        start = time.monotonic()
        reach_hub(one)
        assert time.monotonic() - start > 0.06
