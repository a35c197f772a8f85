"""What counts as a difference between two snapshots, and which peers are alive."""

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.model import Endpoint, PeerState, PublicKey
from wgmqtt.wireguard.snapshot import FRESH_S, RawPeer, Snapshot, differences, grown, peer_state

A, B = b"a" * 32, b"b" * 32
NOW_S = 1000.0
HERE, THERE, NOWHERE = "203.0.113.1:1", "203.0.113.1:2", ""


def at(seconds: int) -> bytes:
    return struct.pack("=qq", seconds, 500_000_000)


def seen(endpoint: bytes | str = HERE, seconds: int = 7, rx: int = 0) -> RawPeer:
    return RawPeer(endpoint, at(seconds), rx)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({}, {A: seen()}, [A]),
        ({A: seen()}, {A: seen()}, []),
        ({A: seen()}, {A: seen(rx=9)}, []),
        ({A: seen()}, {A: seen(THERE)}, [A]),
        ({A: seen()}, {A: seen(NOWHERE)}, [A]),
        ({A: seen()}, {A: seen(seconds=8)}, [A]),
        ({A: seen(), B: seen()}, {B: seen(seconds=8), A: seen(THERE)}, [B, A]),
        ({A: seen(b"")}, {A: seen(bytes(16))}, []),
        ({A: seen()}, {A: seen(struct.pack("=H", 2) + b"\0\1" + bytes((203, 0, 113, 1)) + bytes(8))}, []),
    ],
    ids=["new", "same", "counters", "moved", "lost", "handshake", "two", "none twice", "kernel after userspace"],
)
def test_differences_contain_peers_that_moved_or_had_a_handshake(
    old: Snapshot, new: Snapshot, changed: list[bytes]
) -> None:
    found = differences(old, new, complete=True, now_s=NOW_S)
    assert found.changed == tuple(peer_state(key, new[key]) for key in changed)
    assert found.removed == ()


def test_differences_carries_the_whole_peer_state() -> None:
    found = differences({}, {A: RawPeer(HERE, at(7), 10, 20)}, complete=True, now_s=NOW_S)
    assert found.changed == (PeerState(PublicKey(A), Endpoint("203.0.113.1", 1), 7.5, 10, 20),)


def test_differences_of_a_complete_dump_contain_the_removed() -> None:
    assert differences({A: seen(), B: seen()}, {B: seen()}, complete=True, now_s=NOW_S).removed == (PublicKey(A),)
    assert differences({A: seen()}, {B: seen()}, complete=True, now_s=NOW_S).removed == (PublicKey(A),)


def test_differences_of_an_interrupted_dump_remove_nobody() -> None:
    """NLM_F_DUMP_INTR: the peer may only have been left out."""
    assert differences({A: seen(), B: seen()}, {B: seen(THERE)}, complete=False, now_s=NOW_S).removed == ()


PLACES: st.SearchStrategy[str] = st.sampled_from([HERE, THERE, NOWHERE])
SNAPSHOTS = st.dictionaries(
    st.sampled_from([bytes([letter]) * 32 for letter in range(6)]),
    st.builds(seen, PLACES, st.integers(0, 2), st.integers(0, 2)),
)


@given(SNAPSHOTS, SNAPSHOTS)
def test_differences_applied_to_the_old_snapshot_give_the_new(old: Snapshot, new: Snapshot) -> None:
    def facts(one: PeerState) -> tuple[Endpoint | None, float]:
        return one.endpoint, one.handshake_s

    known = {PublicKey(key): facts(peer_state(key, peer)) for key, peer in old.items()}
    found = differences(old, new, complete=True, now_s=NOW_S)
    for gone in found.removed:
        del known[gone]
    for changed in found.changed:
        assert known.get(changed.key) != facts(changed)
        known[changed.key] = facts(changed)
    assert known == {PublicKey(key): facts(peer_state(key, peer)) for key, peer in new.items()}


@pytest.mark.parametrize(
    ("raw", "expected_s"),
    [
        (b"", 0.0),
        (bytes(16), 0.0),
        (struct.pack("=qq", 1_700_000_000, 250_000_000), 1_700_000_000.25),
        (struct.pack("=qi4s", 1_700_000_000, 250_000_000, b"junk"), 1_700_000_000.25),
    ],
    ids=["absent", "never", "nanoseconds in 64 bits", "nanoseconds in 32 bits and padding"],
)
@pytest.mark.skipif(sys.byteorder != "little", reason="the 32-bit layout of a big-endian machine is another")
def test_handshake_in_either_layout_is_read(raw: bytes, expected_s: float) -> None:
    assert peer_state(A, RawPeer("", raw)).handshake_s == expected_s


ONE, OTHER = bytes(32), bytes([1]) * 32


def test_grown_contains_the_wanted_peer_whose_receive_counter_grew() -> None:
    before, after = {ONE: RawPeer(rx=1), OTHER: RawPeer(rx=1)}, {ONE: RawPeer(rx=2), OTHER: RawPeer(rx=2)}
    assert grown(before, after, {ONE}) == (PublicKey(ONE),)


def test_grown_leaves_out_silent_new_gone_and_restarted_peers() -> None:
    """A counter falls when its interface is made again."""
    peers = {ONE: RawPeer(rx=5, tx=9)}
    assert grown(peers, {ONE: RawPeer(rx=5, tx=10)}, {ONE}) == ()
    assert grown({}, peers, {ONE}) == ()
    assert grown(peers, {}, {ONE}) == ()
    assert grown(peers, {ONE: RawPeer(rx=4)}, {ONE}) == ()


FRESH, OLD = int(NOW_S - 100), int(NOW_S - FRESH_S - 1)


@pytest.mark.parametrize(
    ("before", "now", "is_heard"),
    [
        (seen(rx=1), seen(THERE, rx=2), True),
        (seen(rx=1), seen(THERE, rx=1), False),
        (RawPeer(HERE, b"", 1), RawPeer(THERE, b"", 2), False),
        (seen(rx=1), seen(THERE, seconds=0, rx=2), True),
        (seen(rx=9), seen(THERE, FRESH, rx=2), True),
        (seen(rx=9), seen(THERE, OLD, rx=2), False),
        (None, seen(THERE, FRESH), True),
        (None, seen(THERE, OLD, rx=5), False),
        (None, RawPeer(THERE, bytes(16), 0), False),
        (seen(rx=1), seen("203.0.113.1:0", rx=2), False),
    ],
    ids=[
        "counter grew",
        "set on the hub",
        "no session",
        "half a second is a handshake",
        "interface made again, peer has called",
        "interface made again, old handshake",
        "first poll, live session",
        "first poll, old session",
        "first poll, never heard",
        "hostile packet from port 0",
    ],
)
def test_endpoint_is_news_only_if_the_peer_was_heard_there(
    before: RawPeer | None, now: RawPeer, *, is_heard: bool
) -> None:
    (found,) = differences({A: before} if before else {}, {A: now}, complete=True, now_s=NOW_S).changed
    assert found.is_heard is is_heard


def test_unconfirmed_peer_is_a_difference_as_soon_as_it_is_heard() -> None:
    """The kernel sets an endpoint a moment before it counts the bytes."""
    before, silent, heard = {A: seen(rx=1)}, {A: seen(rx=1)}, {A: seen(rx=2)}
    assert differences(before, silent, complete=True, now_s=NOW_S, unconfirmed={A}).changed == ()
    (found,) = differences(before, heard, complete=True, now_s=NOW_S, unconfirmed={A}).changed
    assert found.is_heard
    assert differences(before, heard, complete=True, now_s=NOW_S, unconfirmed={B}).changed == ()
