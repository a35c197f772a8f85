"""Prints when a direct peer's receive counter grows, which proves a direct path.

`python -m lab.probes.rx_watch --interface wg0 --peer NAME=KEY…`, inside a site's namespace. It sends nothing that could
open a path. Prints one JSON line per event: `rx` {peer, rx, endpoint} when the receive counter grew, `endpoint` {peer,
endpoint} when the peer's endpoint changed. Resolution: 5 ms.
"""

import argparse
import json
import socket
import subprocess
import time
from pathlib import Path

from lab.network.addresses import socket_text
from lab.network.netns import WIREGUARD_SOCKETS
from lab.network.wireguard import PeerState, parse_dump, parse_get

POLL_S = 0.005


class Probe:
    """Reads the peers from wireguard-go's socket, which is cheap, or else from `wg show … dump`."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._path = Path(WIREGUARD_SOCKETS) / f"{interface}.sock"

    def peers(self) -> dict[str, PeerState]:
        """Return the current state of all peers by public key."""
        if not self._path.exists():
            command = ["wg", "show", self._interface, "dump"]
            return parse_dump(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._path))
            connection.sendall(b"get=1\n\n")
            text = b""
            while not text.endswith(b"\n\n"):
                text += connection.recv(65536)
        return parse_get(text.decode())


def emit(event: str, **data: object) -> None:
    """Print one event with the current time."""
    print(json.dumps({"t_ns": time.time_ns(), "event": event, **data}), flush=True)


def watch(probe: Probe, names: dict[str, str]) -> None:
    """Print growth and new endpoints until killed."""
    old = probe.peers()
    emit("watching")
    while True:
        time.sleep(POLL_S)
        new = probe.peers()
        for key, name in names.items():
            before, now = old.get(key), new.get(key)
            if before is None or now is None:
                continue
            endpoint = socket_text(*now.endpoint) if now.endpoint else ""
            if before.endpoint != now.endpoint:
                emit("endpoint", peer=name, endpoint=endpoint)
            if now.rx > before.rx:
                emit("rx", peer=name, rx=now.rx, endpoint=endpoint)
        old = new


def main() -> None:
    """Watch until killed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--interface", required=True)
    arguments.add_argument("--peer", action="append", required=True, metavar="NAME=KEY")
    given = arguments.parse_args()
    pairs = (each.split("=", 1) for each in given.peer)
    watch(Probe(given.interface), {key: name for name, key in pairs})


if __name__ == "__main__":
    main()
