"""What the kernel's hints give: a move is seen long before the next poll, and nobody else's rules are touched."""

import signal
import time
from collections.abc import Iterator
from statistics import median

import pytest
import yaml

from lab.network.addresses import Family
from lab.network.netns import python_module
from lab.testbed.child import Child
from lab.testbed.daemon import read_line
from lab.testbed.hub_with_site import HubWithSite, cpu_s, flood

pytestmark = pytest.mark.lab

SOON_MS = 100.0
TABLE = "wgmqtt_hub1_51820"
OTHERS = "add table ip others\nadd chain ip others in { type filter hook input priority 0; policy accept; }\n"


@pytest.fixture
def hub() -> Iterator[HubWithSite]:
    with HubWithSite() as made:
        yield made


def test_move_is_seen_at_once_although_the_next_poll_is_far(family: Family) -> None:
    """Median of eight; one that took longer than 100 ms would be a chase that failed."""
    with HubWithSite(family) as hub:
        hub.watch_with_hints()
        times_ms = [hub.move(number) for number in range(1, 9)]
        assert median(times_ms) < SOON_MS / 2, times_ms
        assert max(times_ms) < SOON_MS * 3, times_ms


def test_return_to_an_earlier_endpoint_is_seen_each_time(hub: HubWithSite) -> None:
    """Conntrack would see nothing here: its entry still lives."""
    hub.watch_with_hints()
    times_ms = [hub.move(1 + number % 2) for number in range(10)]
    assert max(times_ms) < SOON_MS * 3, times_ms


def test_table_holds_what_is_known_and_follows_a_move(hub: HubWithSite) -> None:
    hub.watch_with_hints()
    assert hub.tables() == [f"table inet {TABLE}"]
    assert "51820" in hub.elements(TABLE, "ports")
    assert "51820 . 203.0.113.2 . 13231" in hub.elements(TABLE, "known4")
    hub.move(3)
    time.sleep(0.2)
    assert "51820 . 203.0.113.13 . 20003" in hub.elements(TABLE, "known4")
    assert "203.0.113.2 ." not in hub.elements(TABLE, "known4")


def test_known_endpoint_causes_no_hints(hub: HubWithSite) -> None:
    """Twenty packets of a peer that stays where it is: WireGuard is not asked once more."""
    hub.watch_with_hints()
    hub.move(1)
    time.sleep(1.0)
    since_ns = hub.log.note("lab", "quiet").t_ns
    hub.site.run("ping", "-n", "-c", "20", "-i", "0.05", "10.99.0.1")
    assert "elements" not in hub.elements(TABLE, "recent4")
    assert not hub.within("looked", 0.0, since_ns)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_table_is_gone_with_the_process_however_it_ends(hub: HubWithSite, number: signal.Signals) -> None:
    child = hub.watch_with_hints()
    assert hub.tables()
    if number == signal.SIGKILL:
        child.kill()
    else:
        child.stop()
    assert hub.tables() == []


def test_others_rules_stay_as_they_are(hub: HubWithSite) -> None:
    hub.namespace.run("nft", "-f", "-", text_in=OTHERS)
    before = hub.nft("list", "table", "ip", "others")
    child = hub.watch_with_hints()
    hub.move(1)
    assert hub.nft("list", "table", "ip", "others") == before
    child.kill()
    assert hub.nft("list", "ruleset") == before


def test_flush_ruleset_by_somebody_else_does_no_harm(hub: HubWithSite) -> None:
    """Debian's /etc/nftables.conf begins with it."""
    hub.watch_with_hints()
    hub.nft("flush", "ruleset")
    assert hub.tables() == [f"table inet {TABLE}"]
    assert hub.move(1) < SOON_MS * 3


def test_flush_ruleset_without_the_library_is_noticed_and_mended(hub: HubWithSite) -> None:
    """A table made by nft(8) has no owner. The poll finds what was not announced; from then on hints active again."""
    hub.settings["poll_s"] = 1
    hub.write_config()
    child = hub.watch_with_hints("--nft", "nft")
    assert not hub.log.find("watch", "hints-work")[0].data["owned"]
    assert hub.move(1) < SOON_MS * 3
    time.sleep(1.2)
    hub.nft("flush", "ruleset")
    since_ns = hub.log.note("lab", "flushed").t_ns
    assert hub.move(2) < 1500
    hub.log.expect("watch", "hints-work", 30.0, since_ns=since_ns)
    time.sleep(1.2)
    assert hub.move(3) < SOON_MS * 3
    child.stop()
    assert hub.tables() == []


def test_table_left_behind_by_a_killed_process_is_replaced(hub: HubWithSite) -> None:
    """Only a table without an owner can be left behind."""
    hub.watch_with_hints("--nft", "nft").kill()
    assert hub.tables() == [f"table inet {TABLE}"]
    hub.watch_with_hints()
    assert hub.move(1) < SOON_MS * 3


def test_hints_off_touches_nothing_and_polls(hub: HubWithSite) -> None:
    hub.settings |= {"hints": "off", "poll_s": 0.5}
    hub.write_config()
    hub.speak()
    hub.watch()
    hub.log.expect("watch", "seen", 30.0)
    assert hub.tables() == []
    assert hub.move(1) < 1000
    assert not hub.within("hints-work", 0.0)


def test_without_permission_it_is_said_once_and_polled(hub: HubWithSite) -> None:
    hub.settings["poll_s"] = 0.5
    hub.write_config()
    hub.speak()
    # The userspace device's socket asks for this capability; NFLOG and nftables for CAP_NET_ADMIN.
    hub.watch(user=("setpriv", "--bounding-set", "-all,+dac_override"))
    refused = hub.log.expect("watch", "hints-failed", 30.0)
    assert "CAP_NET_ADMIN" in str(refused.data["reason"])
    assert hub.move(1) < 1500
    assert len(hub.within("hints-failed", 1.0)) == 1


def test_net_admin_alone_is_enough(hub: HubWithSite) -> None:
    """As in the unit; CAP_DAC_OVERRIDE is for the socket of the userspace device, which the kernel's has not."""
    capabilities = "+net_admin,+dac_override"
    sets = ("--inh-caps", f"-all,{capabilities}", "--ambient-caps", f"-all,{capabilities}")
    unit = ("setpriv", "--reuid", "65534", "--clear-groups", *sets, "--no-new-privs", "--bounding-set")
    hub.watch_with_hints(user=(*unit, f"-all,{capabilities}"))
    assert hub.move(1) < SOON_MS * 3


def test_group_that_somebody_else_has_is_left_to_him(hub: HubWithSite) -> None:
    """Two daemons side by side: each with a group and a table of its own."""
    first = hub.watch_with_hints()
    hub.watch(source="second")
    work = hub.log.expect("second", "hints-work", 30.0)
    assert (work.data["group"], work.data["table"]) == (51821, "wgmqtt_hub1_51821")
    assert hub.move(1) < SOON_MS * 3
    hub.log.expect("second", "seen", 0.5, endpoint="203.0.113.11:20001")
    first.kill()
    assert hub.tables() == ["table inet wgmqtt_hub1_51821"]


def test_interface_deleted_and_made_again_is_learned_anew(hub: HubWithSite) -> None:
    hub.settings["poll_s"] = 0.5
    hub.write_config()
    hub.watch_with_hints()
    hub.namespace.ip("link del wg0")
    hub.log.expect("watch", "interface-failed", 30.0)
    time.sleep(0.2)
    assert "elements" not in hub.elements(TABLE, "known4")
    since_ns = hub.log.note("lab", "made again").t_ns
    hub.remake()
    hub.log.expect("watch", "looked", 30.0, since_ns=since_ns)
    hub.speak()
    assert hub.move(1) < SOON_MS * 3


def test_link_events_bring_the_next_poll_forward(hub: HubWithSite) -> None:
    """The next poll would be half a minute away; the kernel says at once that an interface is gone or back."""
    hub.settings["poll_s"] = 30
    hub.write_config()
    hub.watch_with_hints()
    since_ns = hub.log.note("lab", "deleting").t_ns
    hub.namespace.ip("link del wg0")
    hub.log.expect("watch", "interface-failed", 5.0, since_ns=since_ns)
    since_ns = hub.log.note("lab", "making again").t_ns
    hub.remake()
    hub.log.expect("watch", "looked", 5.0, since_ns=since_ns)


def test_interface_that_comes_late_is_watched_beside_the_first(hub: HubWithSite) -> None:
    hub.settings |= {
        "poll_s": 0.5,
        "hub": yaml.safe_load(hub.config.read_text())["hub"] | {"interfaces": ["wg0", "wg9"]},
    }
    hub.write_config()
    hub.watch_with_hints()
    hub.log.expect("watch", "interface-failed", 5.0, interface="wg9")
    assert hub.move(1) < SOON_MS * 3
    hub.add_interface("wg9")
    hub.namespace.run("wg", "set", "wg9", "listen-port", "51999")
    hub.namespace.ip("link set wg9 up")
    time.sleep(1.2)
    assert "51820, 51999" in hub.elements(TABLE, "ports")
    assert hub.move(2) < SOON_MS * 3


@pytest.mark.parametrize("kind", [4, 6])
def test_flood_of_spoofed_packets_costs_bounded_cpu_and_a_move_is_still_seen(kind: Family) -> None:
    """12,000 packets of as many sources in 4 s; the kernel reports 200 a second, and a look costs what it may."""
    with HubWithSite(kind) as hub:
        child = hub.watch_with_hints()
        spoofing = flood(hub, 12_000, 4.0)
        time.sleep(1.0)
        begun_s, used_s = time.monotonic(), cpu_s(child)
        times_ms = [hub.move(number) for number in (1, 2, 3)]
        while spoofing.poll() is None:
            time.sleep(0.05)
        share = (cpu_s(child) - used_s) / (time.monotonic() - begun_s)
        assert spoofing.stdout is not None
        assert int(spoofing.stdout.read().split()[0].removeprefix("sent=")) > 11_900
        assert max(times_ms) < 1000, times_ms
        assert share < 0.25, share


def test_reload_of_the_daemon_makes_the_table_anew(hub: HubWithSite) -> None:
    """The old table goes before the new one comes: both have the same name."""
    child = daemon(hub)
    for number in range(3):
        since_ns = hub.log.note("lab", "reload").t_ns
        child.signal(signal.SIGHUP)
        hub.log.expect("hub", "hints active", 30.0, since_ns=since_ns, table=TABLE)
        hub.speak()
        time.sleep(0.2)
        assert hub.tables() == [f"table inet {TABLE}"], number
    assert not hub.log.find("hub", "hints unavailable, polling only")
    child.stop()
    assert hub.tables() == []


def daemon(hub: HubWithSite) -> Child:
    """Start the whole daemon; there is no broker, which it says and waits for."""
    hub.wgmqtt("gen-mosquitto", "--folder", str(hub.mosquitto))  # makes the secrets, too
    hub.speak()
    command = python_module("wgmqtt", "run", "-c", str(hub.config))
    child = Child("hub", hub.namespace, command, hub.log, read_line)
    hub.log.expect("hub", "hints active", 30.0)
    return child
