"""Frame netlink messages and attributes (netlink(7)): shared by everything that talks to the kernel by hand."""

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

from wgmqtt.errors import DecodeError, Problem

# linux/netlink.h
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x01, 0x02, 0x04, 0x10, 0x300
ATTRIBUTE_HEADER = struct.Struct("=HH")  # length with the header, type
TYPE_MASK = 0x3FFF  # NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_MESSAGE_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h; the module socket has no name for it


class Message(NamedTuple):
    """One netlink message without its header."""

    kind: int
    flags: int
    sequence: int
    payload: bytes

    @property
    def is_last(self) -> bool:
        """Return whether no other message answers the same request."""
        return self.kind in (NLMSG_ERROR, NLMSG_DONE) or not self.flags & NLM_F_MULTI

    @property
    def error_number(self) -> int:
        """Return the errno that ends a request, 0 if it succeeded or goes on."""
        if self.kind not in (NLMSG_ERROR, NLMSG_DONE):
            return 0
        return -int.from_bytes(self.payload[:4], sys.byteorder, signed=True)

    def raise_error(self) -> None:
        """Raise the OSError with which the kernel rejected the request, if it did."""
        if number := self.error_number:
            raise OSError(number, os.strerror(number))

    @property
    def is_answer(self) -> bool:
        """Return whether the payload is part of the answer and does not merely end it."""
        return self.kind not in (NLMSG_ERROR, NLMSG_DONE)


def encode_message(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    """Return one request with its header."""
    length = _MESSAGE_HEADER.size + len(payload)
    return _MESSAGE_HEADER.pack(length, kind, flags | NLM_F_REQUEST, sequence, 0) + payload


def decode_messages(received: bytes) -> Iterator[Message]:
    """Yield each message of one receive.

    Raises:
        DecodeError: a message is cut short: the buffer was too small, or this is not netlink.
    """
    start, size = 0, _MESSAGE_HEADER.size
    while start < len(received):
        rest = len(received) - start
        length, kind, flags, sequence, _ = (
            _MESSAGE_HEADER.unpack_from(received, start) if rest >= size else (0, 0, 0, 0, 0)
        )
        if not size <= length <= rest:
            raise DecodeError(Problem("netlink", "a message is cut short", f"16 to {rest} bytes", f"{length} bytes"))
        yield Message(kind, flags, sequence, received[start + size : start + length])
        start += align(length)


def encode_attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute, padded to a multiple of four bytes."""
    return ATTRIBUTE_HEADER.pack(ATTRIBUTE_HEADER.size + len(value), kind) + value + b"\0" * (-len(value) % 4)


def decode_attributes(payload: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """Return the type, start and end of each attribute between two offsets of `payload`.

    Raises:
        DecodeError: an attribute is cut short.
    """
    found = []
    while start < end:
        # At the buffer's end fewer than 4 bytes may be left; elsewhere a header cut short names more than there is.
        length, kind = ATTRIBUTE_HEADER.unpack_from(payload, start) if start + 4 <= len(payload) else (0, 0)
        stop = start + length
        if length < ATTRIBUTE_HEADER.size or stop > end:
            raise attribute_cut_short(end - start, length)
        found.append((kind & TYPE_MASK, start + ATTRIBUTE_HEADER.size, stop))
        start = align(stop)
    return found


def attribute_cut_short(available: int, length: int) -> DecodeError:
    """Return the error for an attribute whose header names more bytes than there are, or fewer than itself."""
    return DecodeError(Problem("netlink", "an attribute is cut short", f"4 to {available} bytes", f"{length} bytes"))


def align(offset: int) -> int:
    """Return the next multiple of four: where netlink's next message or attribute begins."""
    return (offset + 3) & ~3


def open_netlink(protocol: int, queue_bytes: int) -> socket.socket:
    """Return a non-blocking socket of one netlink protocol. Its receive queue is as long as this process may make it.

    Raises:
        OSError: the kernel does not have this protocol.
    """
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    with contextlib.suppress(PermissionError):
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, queue_bytes)
    return opened
