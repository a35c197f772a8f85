"""The lab's parsers of dumps, packets and log lines, and the order of its events. Needs no root."""

import struct

import pytest

from lab.network.shell import LabError
from lab.network.wireguard import PeerState, parse_dump, parse_get
from lab.probes.tap import ETH_P_IP, ETH_P_IPV6, parse_udp
from lab.testbed.daemon import read_line
from lab.testbed.events import Event, EventLog

KEY = "L56Ktqx7wcH5/BMdF3AvNkr4qfkq6AUTEX9JwEeaUi0="
KEY_HEX = "2f9e8ab6ac7bc1c1f9fc131d17702f364af8a9f92ae80513117f49c0479a522d"
PEER = PeerState(KEY, ("2001:db8::1", 13231), ("10.98.0.2/32", "fd00::/64"), 1700000000, 92, 180, 25)


def test_dump_of_wg_gives_peers_by_key() -> None:
    lines = [
        "private\tpublic\t13231\toff",
        f"{KEY}\t(none)\t[2001:db8::1]:13231\t10.98.0.2/32,fd00::/64\t1700000000\t92\t180\t25",
        "other=\t(none)\t(none)\t(none)\t0\t0\t0\toff",
    ]
    other = PeerState("other=", None, (), 0, 0, 0, 0)
    assert parse_dump("\n".join(lines)) == {KEY: PEER, "other=": other}


def test_answer_of_wireguard_go_gives_the_same_peers_as_wg() -> None:
    answer = (
        f"private_key=00\nlisten_port=13231\npublic_key={KEY_HEX}\npreshared_key=00\nendpoint=[2001:db8::1]:13231\n"
        "last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=5\ntx_bytes=180\nrx_bytes=92\n"
        "persistent_keepalive_interval=25\nallowed_ip=10.98.0.2/32\nallowed_ip=fd00::/64\nerrno=0\n\n"
    )
    assert parse_get(answer) == {KEY: PEER}


def test_udp_packet_gives_source_and_port() -> None:
    ports = struct.pack("!HH", 13231, 51820)
    four = bytes([0x45]) + bytes(8) + bytes([17]) + bytes(2) + bytes([203, 0, 113, 11]) + bytes(4) + ports
    six = bytes(6) + bytes([17, 64]) + bytes.fromhex("20010db8cafe00000000000000000011") + bytes(16) + ports
    assert parse_udp(ETH_P_IP, four) == (("203.0.113.11", 13231), 51820)
    assert parse_udp(ETH_P_IPV6, six) == (("2001:db8:cafe::11", 13231), 51820)
    assert parse_udp(ETH_P_IP, four[:9] + bytes([6]) + four[10:]) is None


def test_log_line_gives_phrase_pairs_and_its_own_time() -> None:
    line = '2023-11-14T22:13:20.000250Z info endpoint changed router=site-a endpoint=1.2.3.4:5 note="a \\"b\\" c"'
    pairs = {"router": "site-a", "endpoint": "1.2.3.4:5", "note": 'a "b" c', "level": "info"}
    assert read_line("hub", line) == Event(1700000000_000250000, "hub", "endpoint changed", pairs)


def test_line_that_is_no_log_line_is_kept_unchanged() -> None:
    event = read_line("hub", "Traceback (most recent call last):")
    assert (event.kind, event.data["text"]) == ("line", "Traceback (most recent call last):")


def test_events_added_in_any_order_are_found_by_time() -> None:
    log = EventLog()
    for t_ns in (3, 1, 2):
        log.add(Event(t_ns, "site-a", "rx", {"peer": "site-b"}))
    assert [event.t_ns for event in log.since(2)] == [2, 3]
    assert log.expect("site-a", "rx", 0, since_ns=2, peer="site-b").t_ns == 2


def test_wait_that_fails_shows_the_last_events() -> None:
    log = EventLog()
    log.note("site-a", "rx", peer="site-b")
    with pytest.raises(LabError, match=r"hub started.*did not come within 0 s(?s:.*)site-a rx peer=site-b"):
        log.expect("hub", "started", 0)


def test_wait_fails_at_once_when_a_process_died() -> None:
    log = EventLog()
    log.note("site-a", "died", status=3)
    with pytest.raises(LabError, match="can no longer come"):
        log.expect("site-a", "ready", 60)
