"""Prints when a packet from a new source reaches the hub's WireGuard port.

`python -m lab.probes.tap --interface wan --port 51820`, inside the hub's namespace. Prints one JSON line for the first
packet of each source address and port, with the kernel's time stamp (SO_TIMESTAMPNS, packet(7)). A line {"forget":
ADDRESS} on standard input makes all ports of that address count as new again.
"""

import argparse
import json
import os
import select
import socket
import struct
import sys
import time
from ipaddress import IPv6Address

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python 3.11 has no name for it
ETH_P_ALL = 0x0003
ETH_P_IP = 0x0800
ETH_P_IPV6 = 0x86DD
UDP = 17
IPV6_HEADER = 40

Source = tuple[str, int]


def parse_udp(ethertype: int, packet: bytes) -> tuple[Source, int] | None:
    """Return source and destination port of a UDP packet, None for any other packet."""
    if ethertype == ETH_P_IP and packet[9] == UDP:
        address, start = socket.inet_ntoa(packet[12:16]), (packet[0] & 0x0F) * 4
    elif ethertype == ETH_P_IPV6 and packet[6] == UDP:
        address, start = str(IPv6Address(packet[8:24])), IPV6_HEADER
    else:
        return None
    if len(packet) < start + 4:
        return None
    from_port, to_port = struct.unpack_from("!HH", packet, start)
    return (address, from_port), to_port


def time_stamp_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return the kernel's time stamp of a received packet in ns of Unix time."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    raise RuntimeError("the kernel sent no time stamp although the option is set")


def emit(event: str, t_ns: int, **data: object) -> None:
    """Print one event."""
    print(json.dumps({"t_ns": t_ns, "event": event, **data}), flush=True)


def watch(packets: socket.socket, port: int) -> None:
    """Print new sources until standard input ends."""
    known: set[Source] = set()
    while True:
        ready, _, _ = select.select([packets, sys.stdin], [], [])
        if sys.stdin in ready:
            commands = os.read(sys.stdin.fileno(), 65536)  # without Python's buffer, which select(2) does not see
            if not commands:
                return
            forget = {json.loads(line)["forget"] for line in commands.splitlines()}
            known = {source for source in known if source[0] not in forget}
            emit("forgot", time.time_ns(), addresses=sorted(forget))
        if packets in ready:
            packet, ancillary, _, address = packets.recvmsg(128, 64)
            found = None if address[2] == socket.PACKET_OUTGOING else parse_udp(address[1], packet)
            if found and found[1] == port and found[0] not in known:
                known.add(found[0])
                emit("packet", time_stamp_ns(ancillary), address=found[0][0], port=found[0][1])


def main() -> None:
    """Watch until standard input ends."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--interface", required=True)
    arguments.add_argument("--port", type=int, required=True)
    given = arguments.parse_args()
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as packets:
        packets.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        packets.bind((given.interface, ETH_P_ALL))
        emit("ready", time.time_ns())
        watch(packets, given.port)


if __name__ == "__main__":
    main()
