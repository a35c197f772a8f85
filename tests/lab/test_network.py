"""The ground itself: what the lab's NAT and its moves do, without the product."""

import time

import pytest

from lab.network.addresses import HUB_TUNNEL, SITE_PORT, socket_text
from lab.network.nat import NatKind
from lab.network.shell import LabError
from lab.network.topology import Network, Site

pytestmark = pytest.mark.lab

# An unanswered handshake is repeated after 5 s (+ up to 333 ms): WireGuard's paper, section 6.1.
PUNCHED_S = 7.0


def tell(network: Network, site: Site, other: Site) -> None:
    """Let `site` know where the hub sees `other`."""
    seen = network.endpoint_at_hub(other)
    assert seen
    site.device.set_endpoint(other.public_key, socket_text(*seen))


def meet_hub(network: Network) -> list[Site]:
    """Return the sites after each has spoken with the hub."""
    sites = list(network.sites.values())
    assert all(site.pings(HUB_TUNNEL) for site in sites)
    return sites


def becomes_direct(site: Site, other: Site, within_s: float = PUNCHED_S) -> bool:
    """Return whether `site` reaches `other` directly before the time is over."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if site.reaches_directly(other, 0.2):
            return True
    return False


def tracked(site: Site) -> str:
    """Return what the site's NAT box tracks."""
    return site.box.namespace.run("conntrack", "--dump", "--family", f"ipv{site.plan.family}")


def test_hub_sees_sites_at_their_public_addresses(network: Network) -> None:
    for site in meet_hub(network):
        assert network.endpoint_at_hub(site) == (site.wan_address, SITE_PORT)


def test_sites_behind_nat_do_not_meet_until_both_send(network: Network) -> None:
    """One end alone gets nothing through; as soon as the other sends too, the hole is there."""
    one, other = meet_hub(network)
    tell(network, one, other)
    assert not becomes_direct(one, other, 1.0)
    assert other.peer(one).rx == 0
    tell(network, other, one)
    assert becomes_direct(other, one)
    assert one.reaches_directly(other)


def test_unsolicited_packet_opens_nothing_and_leaves_no_trace(network: Network) -> None:
    """A trace would take the port that the hole needs; a NAT box that accepts input makes one."""
    one, _ = meet_hub(network)
    network.hub.run("bash", "-c", f"echo knock > /dev/udp/{one.wan_address}/{SITE_PORT}")
    time.sleep(0.1)
    ports = [line for line in tracked(one).splitlines() if f"src={network.hub_address}" in line.split("sport=")[0]]
    assert ports == []


def test_move_changes_the_address_that_the_hub_sees_and_drops_the_mapping(network: Network) -> None:
    one, _ = meet_hub(network)
    old = one.wan_address
    assert f"dst={old} " in tracked(one)
    one.move()
    assert f"dst={old} " not in tracked(one)
    assert one.pings(HUB_TUNNEL)
    assert network.endpoint_at_hub(one) == (one.plan.wan(2), SITE_PORT)
    one.move_back(gap_s=0.2)
    assert one.pings(HUB_TUNNEL)
    assert network.endpoint_at_hub(one) == (old, SITE_PORT)


def test_move_drops_what_a_port_forward_let_in() -> None:
    """The kernel itself forgets masqueraded flows with the address, but not these."""
    with Network(nat=NatKind.FULL_CONE) as network:
        one, _ = meet_hub(network)
        old = one.wan_address
        network.hub.run("bash", "-c", f"echo knock > /dev/udp/{old}/{SITE_PORT}")
        assert f"src={network.hub_address} dst={old} " in tracked(one)
        one.move()
        assert f"dst={old} " not in tracked(one)


def test_moved_site_stays_out_of_reach_until_the_other_learns_its_address(network: Network) -> None:
    one, other = meet_hub(network)
    tell(network, one, other)
    tell(network, other, one)
    assert becomes_direct(other, one)
    one.move()
    assert one.pings(HUB_TUNNEL)
    before = other.peer(one).rx
    assert not becomes_direct(one, other, 1.0)
    assert other.peer(one).rx == before
    tell(network, other, one)
    assert becomes_direct(other, one)


def test_cut_stops_every_packet_and_restore_lets_them_pass_again(network: Network) -> None:
    one, other = meet_hub(network)
    network.cut(one)
    assert not one.pings(HUB_TUNNEL, 0.3)
    assert other.pings(HUB_TUNNEL)
    network.restore(one)
    assert one.pings(HUB_TUNNEL)


def test_site_behind_a_full_cone_is_met_though_it_sent_nothing() -> None:
    with Network(nat={"site-b": NatKind.FULL_CONE}) as network:
        one, other = meet_hub(network)
        tell(network, one, other)
        assert becomes_direct(one, other)


def test_endpoint_dependent_nat_before_one_site_lets_no_direct_path_open() -> None:
    """The port that the hub sees is not the one that the other site would have to send to: RFC 4787, section 4.1."""
    with Network(nat={"site-a": NatKind.ENDPOINT_DEPENDENT}) as network:
        one, other = meet_hub(network)
        tell(network, one, other)
        tell(network, other, one)
        assert not becomes_direct(other, one, PUNCHED_S)
        assert (one.peer(other).rx, other.peer(one).rx) == (0, 0)


def test_direct_peers_given_at_the_start_meet_by_themselves() -> None:
    with Network(3, knows_endpoints=True) as network:
        one, _, third = meet_hub(network)
        assert becomes_direct(one, third)


def test_delay_slows_every_packet() -> None:
    with Network() as network:
        one, _ = meet_hub(network)
        try:
            network.delay(30)
        except LabError:
            pytest.skip("no netem in this kernel")
        start = time.monotonic()
        assert one.pings(HUB_TUNNEL)
        assert time.monotonic() - start > 0.06
