"""Records one real dump for tests/data. Edge: talks to the kernel's WireGuard, inside a virtual machine.

VM_OUT=tests/data bash lab/vm/debian.sh python3 -m lab.vm.record_dump tests/data
writes dump-<kernel>.bin (the netlink messages as they came) and dump-<kernel>.txt (what wg(8) says of the same peers).
"""

import base64
import os
import socket
import struct
import sys
import time
from hashlib import sha256
from pathlib import Path

from lab.shell import run

MANY_ALLOWED_IPS = 400
READ_BYTES = 4096  # the kernel fills no more than the buffer it is read with: small messages, many cuts


def key(name: str) -> str:
    """Return the same throw-away key for the same name."""
    raw = bytearray(sha256(f"wgmqtt test {name}".encode()).digest())
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return base64.b64encode(raw).decode()


def main(directory: Path) -> None:
    """Make two interfaces that talk to each other, add peers of every kind to one, record its dump."""
    public = {name: run("wg", "pubkey", text_in=key(name)).strip() for name in ("hub", "site")}
    run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
    make("wg1", 51821, key("site"), peer_text(public["hub"], "10.9.0.0/24", "127.0.0.1:51820", 1))
    peers = [peer_text(public["site"], "10.9.0.2/32")]
    for number in range(30):
        place = ("", f"198.51.100.{number}:{1000 + number}", f"[2001:db8::{number:x}]:{2000 + number}")[number % 3]
        peers.append(peer_text(key(f"peer {number}"), f"10.8.0.{number}/32", place))
    many = ", ".join(f"10.{number >> 8}.{number & 255}.0/24" for number in range(MANY_ALLOWED_IPS))
    peers.insert(10, peer_text(key("many"), many, "203.0.113.7:4242"))
    make("wg0", 51820, key("hub"), "".join(peers))
    wait_for_handshake(public["site"])
    run("ip", "link", "set", "wg1", "down")  # its counters stand still
    messages = b"".join(dump("wg0"))
    kernel = ".".join(os.uname().release.split(".")[:2])
    (directory / f"dump-{kernel}.bin").write_bytes(messages)
    shown = run("wg", "show", "wg0", "dump").split("\n", 1)[1]  # the first line has the private key
    (directory / f"dump-{kernel}.txt").write_text(f"{public['hub']} 51820\n{shown}")


def make(interface: str, port: int, private_key: str, peers: str) -> None:
    """Make one WireGuard interface and set it up."""
    config = Path(f"/tmp/{interface}.conf")  # noqa: S108 - inside the virtual machine, gone with it
    config.write_text(f"[Interface]\nListenPort = {port}\nPrivateKey = {private_key}\n{peers}")
    run("ip", "link", "add", interface, "type", "wireguard")
    run("wg", "setconf", interface, str(config))
    run("ip", "link", "set", interface, "up")


def peer_text(public_key: str, allowed_ips: str, endpoint: str = "", keepalive_s: int = 0) -> str:
    """Return one peer as wg(8) reads it."""
    text = f"[Peer]\nPublicKey = {public_key}\nAllowedIPs = {allowed_ips}\n"
    text += f"Endpoint = {endpoint}\n" if endpoint else ""
    return text + (f"PersistentKeepalive = {keepalive_s}\n" if keepalive_s else "")


def wait_for_handshake(public_key: str) -> None:
    """Wait until wg0 has had a handshake with this peer and an answer from it."""
    for _ in range(100):
        if f"{public_key}\t0" not in run("wg", "show", "wg0", "latest-handshakes"):
            time.sleep(0.5)
            return
        time.sleep(0.1)
    raise TimeoutError("no handshake within 10 s")


def dump(interface: str) -> list[bytes]:
    """Return each receive of one dump, in the plainest way: this is what the tests compare our edge with."""
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
    """Say whether the last message of one receive is NLMSG_DONE: newer kernels put it behind the last peers."""
    start, kind = 0, 0
    while start < len(received):
        length, kind = struct.unpack_from("=IH", received, start)
        start += length + 3 & ~3
    return bool(kind == 3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
