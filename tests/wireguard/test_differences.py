"""What counts as a difference between two dumps, and what does not."""

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.errors import DecodeError
from wgmqtt.model import Endpoint, PeerState, PublicKey
from wgmqtt.wireguard.kernel_decode import RawPeer, Snapshot, _take_usual_peer, differences, merge_message, sighting

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
def test_differences_names_who_moved_or_shook_hands(old: Snapshot, new: Snapshot, changed: list[bytes]) -> None:
    found = differences(old, new, complete=True)
    assert found.changed == tuple(sighting(key, new[key]) for key in changed)
    assert found.removed == ()


def test_differences_carries_the_whole_sighting() -> None:
    found = differences({}, {A: RawPeer(HERE, at(7), 10, 20)}, complete=True)
    assert found.changed == (PeerState(PublicKey(A), Endpoint("203.0.113.1", 1), 7.5, 10, 20),)


def test_differences_when_complete_names_the_removed() -> None:
    assert differences({A: seen(), B: seen()}, {B: seen()}, complete=True).removed == (PublicKey(A),)
    assert differences({A: seen()}, {B: seen()}, complete=True).removed == (PublicKey(A),)


def test_differences_when_interrupted_removes_nobody() -> None:
    """NLM_F_DUMP_INTR: the peer may only have been left out."""
    assert differences({A: seen(), B: seen()}, {B: seen(THERE)}, complete=False).removed == ()


PLACES: st.SearchStrategy[str] = st.sampled_from([HERE, THERE, NOWHERE])
SNAPSHOTS = st.dictionaries(
    st.sampled_from([bytes([letter]) * 32 for letter in range(6)]),
    st.builds(seen, PLACES, st.integers(0, 2), st.integers(0, 2)),
)


@given(SNAPSHOTS, SNAPSHOTS)
def test_differences_applied_to_the_old_give_the_new(old: Snapshot, new: Snapshot) -> None:
    def facts(one: PeerState) -> tuple[Endpoint | None, float]:
        return one.endpoint, one.handshake_s

    known = {PublicKey(key): facts(sighting(key, peer)) for key, peer in old.items()}
    found = differences(old, new, complete=True)
    for gone in found.removed:
        del known[gone]
    for changed in found.changed:
        assert known.get(changed.key) != facts(changed)
        known[changed.key] = facts(changed)
    assert known == {PublicKey(key): facts(sighting(key, peer)) for key, peer in new.items()}


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
    assert sighting(A, RawPeer("", raw)).handshake_s == expected_s


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def message(*attributes: bytes) -> bytes:
    return b"\0\1\0\0" + attribute(8, attribute(0, b"".join(attributes)))


WHOLE = (attribute(1, A), attribute(6, at(7)), attribute(8, b"\2" + bytes(7)), attribute(7, b"\1" + bytes(7)))


def test_merge_skips_what_it_does_not_know() -> None:
    unknown = (attribute(99, b"x"), attribute(0, b""), attribute(3, b"1234"))
    plain: Snapshot = {}
    merge_message(plain, message(*WHOLE))
    padded: Snapshot = {}
    merge_message(padded, b"\0\1\0\0" + attribute(77, b"?") + message(*unknown, *WHOLE, *unknown)[4:])
    assert padded == plain == {A: RawPeer(b"", at(7), 1, 2)}


SOCKADDR = b"\2\0\x1f\x90\1\2\3\4" + bytes(8)
PAD = attribute(0, b"")


@pytest.mark.parametrize("pads", [(b"", b""), (b"", PAD), (PAD, PAD)], ids=["none", "before rx", "before both"])
def test_peer_of_each_layout_is_taken_in_one_step(pads: tuple[bytes, bytes]) -> None:
    """Kernels of machines that read 8 bytes only at multiples of 8 put an empty attribute before a counter."""
    tx, rx = pads[0] + attribute(8, b"\2" + bytes(7)), pads[1] + attribute(7, b"\1" + bytes(7))
    parts = (attribute(1, A), attribute(2, bytes(32)), attribute(6, at(7)), attribute(5, b"\0\0"))
    peer = b"".join((*parts, tx, rx, attribute(10, bytes(4)), attribute(4, SOCKADDR)))
    snapshot: Snapshot = {}
    assert _take_usual_peer(snapshot, peer, 0, len(peer))
    assert snapshot == {A: RawPeer(SOCKADDR, at(7), 1, 2)}
    again: Snapshot = {}
    merge_message(again, message(peer), snapshot)
    assert again[A] is snapshot[A]
    assert not _take_usual_peer({}, peer, 0, len(peer) - 1)


def test_merge_of_a_second_part_erases_nothing() -> None:
    """The rest of a cut peer carries its key and more allowed IPs."""
    snapshot: Snapshot = {}
    merge_message(snapshot, message(*WHOLE))
    merge_message(snapshot, message(attribute(1, A), attribute(9, b"")))
    assert snapshot == {A: RawPeer(b"", at(7), 1, 2)}


@pytest.mark.parametrize(
    "attributes",
    [(WHOLE[1],), (attribute(1, b"short"),), (*WHOLE[:1], attribute(4, b"\2\0")), (*WHOLE[:1], attribute(6, bytes(8)))],
    ids=["no key", "short key", "short endpoint", "short time"],
)
def test_merge_of_a_wrong_length_raises(attributes: tuple[bytes, ...]) -> None:
    with pytest.raises(DecodeError, match="32, 16 or 28, 16, 8, 8 bytes"):
        merge_message({}, message(*attributes))


@pytest.mark.parametrize("cut", [1, 4, 7, 33, 60])
def test_merge_of_a_truncated_message_raises(cut: int) -> None:
    with pytest.raises(DecodeError, match="cut short"):
        merge_message({}, message(*WHOLE)[:-cut])
