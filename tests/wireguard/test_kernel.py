"""Netlink's framing; the rest of the edge is tried on real kernels (tests/vm)."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.errors import DecodeError
from wgmqtt.wireguard.kernel import messages


def message(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    padding = b"\0" * (-len(payload) % 4)
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 0) + payload + padding


U16 = st.integers(0, 0xFFFF)
MESSAGES = st.lists(st.tuples(U16, U16, st.integers(0, 0xFFFFFFFF), st.binary(max_size=40)), max_size=5)


@given(MESSAGES)
def test_messages_of_one_receive_come_out_as_they_went_in(sent: list[tuple[int, int, int, bytes]]) -> None:
    assert list(messages(b"".join(message(*each) for each in sent))) == sent


@pytest.mark.parametrize("left", [1, 15, 16, 19])
def test_message_cut_short_raises(left: int) -> None:
    with pytest.raises(DecodeError, match="netlink: a message is cut short"):
        list(messages(message(3, 2, 1, b"") + message(3, 2, 1, b"1234")[:left]))


@given(st.binary(max_size=60))
def test_random_bytes_raise_only_decode_error(raw: bytes) -> None:
    try:
        found = list(messages(raw))
    except DecodeError:
        return
    assert sum(16 + len(payload) for _, _, _, payload in found) <= len(raw)
