"""Record a real dump for tests/data, inside a virtual machine.

`VM_OUT=tests/data bash lab/vm/debian.sh python3 -m lab.vm.record_dump tests/data`
writes dump-<kernel>.bin (the netlink messages as received) and dump-<kernel>.txt (the same peers as wg(8) shows them).
"""

import os
import socket
import struct
import sys
from pathlib import Path

from lab.network.shell import run
from lab.vm.interfaces import key, make_pair, many_peers, peer_text, public, wait_for_handshake

MANY_ALLOWED_IPS = 400
READ_BYTES = 4096  # the kernel fills no more than the reader's buffer: small messages, so peers are cut


def main(directory: Path) -> None:
    """Create two interfaces with a session between them, add peers of every kind to one, and record its dump."""
    many = ", ".join(f"10.{number >> 8}.{number & 255}.0/24" for number in range(MANY_ALLOWED_IPS))
    make_pair(many_peers(10) + peer_text(key("many"), many, "203.0.113.7:4242") + many_peers(30))
    wait_for_handshake(public("site"))
    run("ip", "link", "set", "wg1", "down")  # so that its counters do not change any more
    messages = b"".join(dump("wg0"))
    kernel = ".".join(os.uname().release.split(".")[:2])
    (directory / f"dump-{kernel}.bin").write_bytes(messages)
    shown = run("wg", "show", "wg0", "dump").split("\n", 1)[1]  # the first line has the private key
    (directory / f"dump-{kernel}.txt").write_text(f"{public('hub')} 51820\n{shown}")


def dump(interface: str) -> list[bytes]:
    """Return each receive of one dump. Deliberately without wgmqtt's own netlink code, which is tested against it."""
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)  # NETLINK_GENERIC

    def ask(kind: int, flags: int, body: bytes) -> None:
        opened.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)

    ask(16, 1, struct.pack("=BBHHH12s", 3, 1, 0, 14, 2, b"wireguard\0"))  # CTRL_CMD_GETFAMILY by its name
    answer = opened.recv(READ_BYTES)
    at = answer.index(struct.pack("=HH", 6, 1), 20)  # CTRL_ATTR_FAMILY_ID
    name = interface.encode() + b"\0"
    body = struct.pack("=BBHHH", 0, 1, 0, 4 + len(name), 2) + name
    ask(int.from_bytes(answer[at + 4 : at + 6], sys.byteorder), 0x301, body)
    received: list[bytes] = []
    while not received or not is_done(received[-1]):
        received.append(opened.recv(READ_BYTES))
    return received


def is_done(received: bytes) -> bool:
    """Return whether the last message of one receive is NLMSG_DONE; newer kernels append it to the last peers."""
    start, kind = 0, 0
    while start < len(received):
        length, kind = struct.unpack_from("=IH", received, start)
        start += length + 3 & ~3
    return bool(kind == 3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
