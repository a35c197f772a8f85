"""Sends UDP packets with many spoofed source addresses, bounded in count and time.

`python -m lab.probes.spoof --to ADDRESS --port N --count N --seconds S`, inside a namespace of the lab, so that the
sources (198.18.0.0/15 of RFC 2544, and 2001:db8:f100::/40) never leave it. Each packet has the size and type of a
WireGuard handshake initiation, but no valid content.
"""

import argparse
import contextlib
import random
import socket
import struct
import time
from ipaddress import ip_address

HANDSHAKE = b"\1\0\0\0" + bytes(144)


def packet(to: str, port: int, number: int) -> bytes:
    """Return an IP packet from spoofed source `number`; the kernel adds the checksum of an IPv4 header."""
    target, from_port = ip_address(to), random.randint(1024, 65535)  # noqa: S311 - not a secret
    length = 8 + len(HANDSHAKE)
    udp = struct.pack("!HHHH", from_port, port, length, 0)
    if target.version == 4:
        source = struct.pack("!I", (198 << 24 | 18 << 16) + number % (1 << 17))
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 17, 0)
        return head + source + target.packed + udp + HANDSHAKE  # a UDP checksum of 0 means none (RFC 768)
    wide = ip_address("2001:db8:f100::").packed[:12] + struct.pack("!I", number)
    pseudo = wide + target.packed + struct.pack("!II", length, 17) + udp + HANDSHAKE
    udp = struct.pack("!HHHH", from_port, port, length, checksum(pseudo))
    return struct.pack("!IHBB", 6 << 28, length, 17, 64) + wide + target.packed + udp + HANDSHAKE


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def main() -> None:
    """Send the packets evenly over the time."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--to", required=True)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--count", type=int, required=True)
    arguments.add_argument("--seconds", type=float, required=True)
    given = arguments.parse_args()
    family = socket.AF_INET if ip_address(given.to).version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        begun_s = time.monotonic()
        sent = 0
        while sent < given.count:
            passed_s = time.monotonic() - begun_s
            due = min(given.count, int(given.count * passed_s / given.seconds) + 1)
            for number in range(sent, due):
                with contextlib.suppress(OSError):  # the site has no address while it moves
                    raw.sendto(packet(given.to, given.port, number), (given.to, 0))
            sent = due
            time.sleep(0.002)
    print(f"sent={sent} seconds={time.monotonic() - begun_s:.2f}")


if __name__ == "__main__":
    main()
