"""Parse the text of WireGuard's userspace interface: https://www.wireguard.com/xplatform/.

Keys are recognized by name wherever they are, and unknown ones are ignored. boringtun differs from the protocol: it
begins with `own_public_key`, and gives the age of a handshake instead of its time.
"""

import struct
from collections.abc import Mapping

from wgmqtt.errors import DecodeError, Problem
from wgmqtt.model import KEY_BYTES, MAX_PORT, PublicKey
from wgmqtt.wireguard.snapshot import NO_PEERS, TIMESPEC, Device, RawPeer, Snapshot

EARLIEST_TIME_S = 1_000_000_000
"""The year 2001, before WireGuard: a smaller number of seconds is an age."""
SAME_HANDSHAKE_S = 1.0
"""Times made from two ages of one handshake differ less: boringtun's clock ticks every 250 ms. A new handshake comes
at least 5 s later (REKEY_TIMEOUT, WireGuard's paper, 6.1)."""
_DEVICE_KEYS = frozenset({"own_public_key", "listen_port", "errno"})
_Fields = dict[str, str]


def parse_uapi(text: str, now_s: float, before: Mapping[bytes, RawPeer] = NO_PEERS) -> tuple[Snapshot, Device]:
    """Return the peers and the device in an answer to `get=1` that came at `now_s` (Unix time).

    `before` is the snapshot before: a handshake of which only the age is known keeps its time from there.

    Raises:
        DecodeError: errno is not 0, the answer is cut short, or a value is malformed.
    """
    device: _Fields = {}
    peers: list[_Fields] = []
    for line in text.split("\n"):
        name, _, value = line.partition("=")
        if name in _DEVICE_KEYS:
            device[name] = value
        elif name == "public_key":
            peers.append({name: value})
        elif peers:
            peers[-1][name] = value
    errno = device.get("errno", "")
    if errno != "0":
        raise _malformed("an answer", "errno=0", f"errno={errno}" if errno else "an answer without errno")
    return dict(_parse_peer(fields, now_s, before) for fields in peers), _parse_device(device)


def _parse_peer(fields: _Fields, now_s: float, before: Mapping[bytes, RawPeer]) -> tuple[bytes, RawPeer]:
    try:
        key = bytes.fromhex(fields["public_key"])
        seconds, nanoseconds = (int(fields.get(f"last_handshake_time_{unit}", 0)) for unit in ("sec", "nsec"))
        handshake = TIMESPEC.pack(seconds, nanoseconds)
        rx, tx = int(fields.get("rx_bytes", 0)), int(fields.get("tx_bytes", 0))
    except (ValueError, struct.error):
        raise _malformed("a peer", "a key in hexadecimal, whole numbers", "something else") from None
    if len(key) != KEY_BYTES:
        raise _malformed("a public key", f"{KEY_BYTES} bytes", f"{len(key)} bytes")
    if (seconds or nanoseconds) and seconds < EARLIEST_TIME_S <= now_s:
        handshake = _handshake_of_age(seconds + nanoseconds / 1e9, now_s, before.get(key))
    return key, RawPeer(fields.get("endpoint", ""), handshake, rx, tx)


def _handshake_of_age(age_s: float, now_s: float, before: RawPeer | None) -> bytes:
    """Return when a handshake of this age was: the same time as before, unless it is clearly another handshake."""
    time_s = now_s - age_s
    if before is not None and before.handshake:
        seconds, nanoseconds = TIMESPEC.unpack(before.handshake)
        if abs(seconds + nanoseconds / 1e9 - time_s) < SAME_HANDSHAKE_S:
            return before.handshake
    return TIMESPEC.pack(int(time_s), int(time_s % 1 * 1e9))


def _parse_device(fields: _Fields) -> Device:
    """Return the device. The protocol names only its private key, which is not read; boringtun its public one."""
    port = fields.get("listen_port", "0")
    if not port.isdecimal() or int(port) > MAX_PORT:
        raise _malformed("listen_port", f"0 to {MAX_PORT}", repr(port))
    try:
        key = bytes.fromhex(fields.get("own_public_key", ""))
    except ValueError:
        key = b""
    return Device(PublicKey(key) if len(key) == KEY_BYTES else None, int(port))


def _malformed(what: str, expected: str, got: str) -> DecodeError:
    return DecodeError(Problem("WireGuard's userspace interface", what, expected, got))
