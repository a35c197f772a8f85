"""Shakes hands with a hub once for each of many peers, each from an address and port of its own. A program.

`python -m lab.probes.handshakes HUB_ADDRESS HUB_PORT HUB_KEY`: each line of standard input is PRIVATE_KEY ADDRESS PORT,
keys in base64. Ends with status 1 if a peer got no answer.
"""

import base64
import contextlib
import selectors
import socket
import sys
from collections.abc import Iterator

from lab.network.handshake import Initiator

AT_ONCE = 64  # fewer than make WireGuard ask for cookies
ATTEMPTS = 20
ANSWER_WITHIN_S = 0.5
BUFFER_BYTES = 2048


def main() -> None:
    """Read all peers, then make the handshakes."""
    address, port, key = sys.argv[1:]
    hub, hub_key = (address, int(port)), base64.b64decode(key)
    lines = [line.split() for line in sys.stdin]
    for start in range(0, len(lines), AT_ONCE):
        left = dict(enumerate(lines[start : start + AT_ONCE], start))
        for _ in range(ATTEMPTS):
            for number in tuple(_shake(left, hub, hub_key)):
                del left[number]
        if left:
            sys.exit(f"no answer for {len(left)} peers: {next(iter(left.values()))[1:]}")


def _shake(peers: dict[int, list[str]], hub: tuple[str, int], hub_key: bytes) -> Iterator[int]:
    """Begin a handshake for each peer, and yield the numbers of those that are finished."""
    with contextlib.ExitStack() as stack:
        waiting = stack.enter_context(selectors.DefaultSelector())
        for number, (private, address, port) in peers.items():
            opened = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            opened.bind((address, int(port)))
            initiator = Initiator(base64.b64decode(private), hub_key, number + 1)
            opened.sendto(initiator.initiation(), hub)
            waiting.register(opened, selectors.EVENT_READ, (number, opened, initiator))
        while waiting.get_map() and (ready := waiting.select(ANSWER_WITHIN_S)):
            for selected, _ in ready:
                number, opened, initiator = selected.data
                opened.sendto(initiator.keepalive(opened.recv(BUFFER_BYTES)), hub)
                waiting.unregister(opened)
                yield number


if __name__ == "__main__":
    main()
