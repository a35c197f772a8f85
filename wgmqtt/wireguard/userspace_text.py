"""Parse the text of WireGuard's userspace interface: https://www.wireguard.com/xplatform/."""

import struct

from wgmqtt.errors import DecodeError, Problem
from wgmqtt.model import KEY_BYTES, MAX_PORT
from wgmqtt.wireguard.snapshot import TIMESPEC, Device, RawPeer, Snapshot


def parse_uapi(text: str) -> Snapshot:
    """Return the peers in an answer to `get=1`.

    Raises:
        DecodeError: errno is not 0, the answer is cut short, or a value is malformed.
    """
    snapshot: Snapshot = {}
    fields: dict[str, str] = {}
    errno = ""
    for line in text.split("\n"):
        name, _, value = line.partition("=")
        if name == "public_key":
            _add_peer(snapshot, fields)
            fields = {}
        elif name == "errno":
            errno = value
            break
        fields[name] = value
    _add_peer(snapshot, fields)
    if errno != "0":
        raise _malformed("an answer", "errno=0", f"errno={errno}" if errno else "an answer without errno")
    return snapshot


def _add_peer(snapshot: Snapshot, fields: dict[str, str]) -> None:
    key = fields.get("public_key")
    if key is None:
        return
    try:
        raw = bytes.fromhex(key)
        seconds, nanoseconds = (
            int(fields.get("last_handshake_time_sec", 0)),
            int(fields.get("last_handshake_time_nsec", 0)),
        )
        handshake = TIMESPEC.pack(seconds, nanoseconds)
        rx, tx = int(fields.get("rx_bytes", 0)), int(fields.get("tx_bytes", 0))
    except (ValueError, struct.error):
        raise _malformed("a peer", "a key in hexadecimal, whole numbers") from None
    if len(raw) != KEY_BYTES:
        raise _malformed("a public key", f"{KEY_BYTES} bytes", f"{len(raw)} bytes")
    snapshot[raw] = RawPeer(fields.get("endpoint", ""), handshake, rx, tx)


def parse_uapi_device(text: str) -> Device:
    """Return the device in an answer to `get=1`; the protocol names only its private key, which is not read."""
    head = text.partition("public_key=")[0]
    port = dict(line.partition("=")[::2] for line in head.split("\n")).get("listen_port", "0")
    if not port.isdecimal() or int(port) > MAX_PORT:
        raise _malformed("listen_port", f"0 to {MAX_PORT}", repr(port))
    return Device(None, int(port))


def _malformed(what: str, allowed: str = "", given: str = "") -> DecodeError:
    return DecodeError(Problem("WireGuard's userspace interface", what, allowed, given))
