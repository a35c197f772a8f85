"""Sends one packet through each of many WireGuard interfaces at once.

`python -m lab.probes.traffic --to ADDRESS DEVICE…`. Each line of standard input is {"repeat_ms": N}: 0 sends one round,
a larger N repeats it every N ms until the next line. Prints one JSON line per round: sent {count}.
"""

import argparse
import json
import selectors
import socket
import sys
import time

DISCARD_PORT = 9  # RFC 863


def open_bound(device: str) -> socket.socket:
    """Return a UDP socket that sends through `device` only."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    return opened


def main() -> None:
    """Send rounds as standard input asks for them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--to", required=True)
    arguments.add_argument("devices", nargs="+")
    given = arguments.parse_args()
    sockets = [open_bound(device) for device in given.devices]
    waiting = selectors.DefaultSelector()
    waiting.register(sys.stdin, selectors.EVENT_READ)
    pause_s: float | None = None
    while True:
        if waiting.select(pause_s):
            line = sys.stdin.readline()
            if not line:
                return
            pause_s = json.loads(line)["repeat_ms"] / 1000 or None
        t_ns = time.time_ns()
        for each in sockets:
            each.sendto(b"x", (given.to, DISCARD_PORT))
        print(json.dumps({"t_ns": t_ns, "event": "sent", "count": len(sockets)}), flush=True)


if __name__ == "__main__":
    main()
