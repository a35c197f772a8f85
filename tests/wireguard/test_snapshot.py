"""What counts as a difference between two snapshots, and which peers are alive."""

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.model import Endpoint, PeerState, PublicKey
from wgmqtt.wireguard.snapshot import RawPeer, Snapshot, differences, grown, peer_state

A, B = b"a" * 32, b"b" * 32
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
    found = differences(old, new, complete=True)
    assert found.changed == tuple(peer_state(key, new[key]) for key in changed)
    assert found.removed == ()


def test_differences_carries_the_whole_peer_state() -> None:
    found = differences({}, {A: RawPeer(HERE, at(7), 10, 20)}, complete=True)
    assert found.changed == (PeerState(PublicKey(A), Endpoint("203.0.113.1", 1), 7.5, 10, 20),)


def test_differences_of_a_complete_dump_contain_the_removed() -> None:
    assert differences({A: seen(), B: seen()}, {B: seen()}, complete=True).removed == (PublicKey(A),)
    assert differences({A: seen()}, {B: seen()}, complete=True).removed == (PublicKey(A),)


def test_differences_of_an_interrupted_dump_remove_nobody() -> None:
    """NLM_F_DUMP_INTR: the peer may only have been left out."""
    assert differences({A: seen(), B: seen()}, {B: seen(THERE)}, complete=False).removed == ()


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
    found = differences(old, new, complete=True)
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
