"""Netlink's framing; sockets are tested on real kernels (tests/vm)."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.errors import DecodeError
from wgmqtt.netlink import decode_attributes, decode_messages, encode_attribute, encode_message


def message(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    padding = b"\0" * (-len(payload) % 4)
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 0) + payload + padding


U16 = st.integers(0, 0xFFFF)
MESSAGES = st.lists(st.tuples(U16, U16, st.integers(0, 0xFFFFFFFF), st.binary(max_size=40)), max_size=5)


@given(MESSAGES)
def test_messages_of_one_receive_are_decoded_one_by_one(sent: list[tuple[int, int, int, bytes]]) -> None:
    assert list(decode_messages(b"".join(message(*each) for each in sent))) == sent


@pytest.mark.parametrize("left", [1, 15, 16, 19])
def test_message_cut_short_raises(left: int) -> None:
    with pytest.raises(DecodeError, match="netlink: a message is cut short"):
        list(decode_messages(message(3, 2, 1, b"") + message(3, 2, 1, b"1234")[:left]))


@given(st.binary(max_size=60))
def test_random_bytes_raise_only_decode_error(raw: bytes) -> None:
    try:
        found = list(decode_messages(raw))
    except DecodeError:
        return
    assert sum(16 + len(payload) for _, _, _, payload in found) <= len(raw)


ATTRIBUTES = st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=40)), max_size=5)


@given(MESSAGES)
def test_encoded_messages_are_decoded_to_the_same(sent: list[tuple[int, int, int, bytes]]) -> None:
    encoded = b"".join(encode_message(*each) + b"\0" * (-len(each[3]) % 4) for each in sent)
    assert list(decode_messages(encoded)) == [
        (kind, flags | 1, sequence, payload) for kind, flags, sequence, payload in sent
    ], "NLM_F_REQUEST is added"


@given(ATTRIBUTES, st.sampled_from([b"", b"head", b"two words"[:8]]))
def test_encoded_attributes_are_decoded_to_the_same(sent: list[tuple[int, bytes]], before: bytes) -> None:
    """Attributes lie at multiples of four from the beginning of the payload."""
    encoded = before + b"".join(encode_attribute(*each) for each in sent)
    found = decode_attributes(encoded, len(before), len(encoded))
    assert [(kind, encoded[start:end]) for kind, start, end in found] == sent


@pytest.mark.parametrize(("flags", "is_last"), [(0, True), (2, False)])
def test_message_without_the_flag_multi_is_the_last(flags: int, *, is_last: bool) -> None:
    (found,) = decode_messages(message(16, flags, 1, b"1234"))
    assert (found.is_last, found.is_answer, found.error_number) == (is_last, True, 0)


def test_message_with_an_error_is_raised_as_that_error() -> None:
    """An acknowledgement is an error with the number 0 (netlink(7))."""
    rejected, accepted = decode_messages(
        message(2, 0, 1, struct.pack("=i", -errno.ENODEV)) + message(2, 0, 1, struct.pack("=i", 0))
    )
    with pytest.raises(OSError, match="No such device") as raised:
        rejected.raise_error()
    assert (raised.value.errno, rejected.is_last, rejected.is_answer) == (errno.ENODEV, True, False)
    accepted.raise_error()
    assert (accepted.error_number, accepted.is_last) == (0, True)
