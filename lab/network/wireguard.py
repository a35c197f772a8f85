"""A real WireGuard device in a namespace: the kernel's, or else wireguard-go."""

import base64
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Literal

from lab.network.netns import Namespace
from lab.network.shell import CommandError, LabError, run
from wgmqtt.errors import Problem

MTU = 1380
Kind = Literal["auto", "kernel", "go"]


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """The configuration of a peer; `endpoint` in the notation of wg(8), empty if unknown."""

    public_key: str
    allowed_ips: Sequence[str]
    endpoint: str = ""
    keepalive_s: int = 0


@dataclass(frozen=True, slots=True)
class PeerState:
    """One peer of `wg show … dump`; `handshake_s` is Unix time, 0 if there was none; rx and tx are bytes."""

    public_key: str
    endpoint: tuple[str, int] | None
    allowed_ips: tuple[str, ...]
    handshake_s: int
    rx: int
    tx: int
    keepalive_s: int


@dataclass(frozen=True, slots=True)
class Keys:
    """A key pair."""

    private: str
    public: str


def generate_keys() -> Keys:
    """Return a new key pair."""
    private = run("wg", "genkey").strip()
    return Keys(private, run("wg", "pubkey", text_in=private).strip())


class Device:
    """The WireGuard interface `wg0` of one machine; it is removed with the namespace."""

    name = "wg0"

    def __init__(self, namespace: Namespace, listen_port: int, kind: Kind = "auto") -> None:
        self.namespace = namespace
        self.listen_port = listen_port
        self.keys = generate_keys()
        self.process = self._make(kind)

    def _make(self, kind: Kind) -> Popen[str] | None:
        """Create the interface; return wireguard-go's process, None with the kernel's WireGuard."""
        if kind != "go":
            try:
                self.namespace.ip(f"link add {self.name} type wireguard")
            except CommandError:
                if kind == "kernel":
                    raise
            else:
                return None
        if not Path("/dev/net/tun").exists():
            raise LabError(Problem("/dev/net/tun", "missing", "the kernel's WireGuard, or this for wireguard-go"))
        with (self.namespace.directory / "wireguard-go.log").open("w") as log:
            return self.namespace.start("wireguard-go", "--foreground", self.name, output=log)

    def configure(self, peers: Sequence[PeerConfig], addresses: Sequence[str]) -> None:
        """Set key, port, peers and addresses, and bring the interface up."""
        self._await_socket()
        lines = ["[Interface]", f"PrivateKey = {self.keys.private}", f"ListenPort = {self.listen_port}"]
        for peer in peers:
            lines += ["[Peer]", f"PublicKey = {peer.public_key}", f"AllowedIPs = {', '.join(peer.allowed_ips)}"]
            lines += [f"Endpoint = {peer.endpoint}"] if peer.endpoint else []
            lines += [f"PersistentKeepalive = {peer.keepalive_s}"] if peer.keepalive_s else []
        self.namespace.run("wg", "setconf", self.name, "/dev/stdin", text_in="\n".join(lines) + "\n")
        adds = [f"addr add {address} dev {self.name}" for address in addresses]
        self.namespace.ip(*adds, f"link set {self.name} mtu {MTU} up")

    def set_endpoint(self, public_key: str, endpoint: str) -> None:
        """Set a peer's endpoint, as a person would."""
        self.namespace.run("wg", "set", self.name, "peer", public_key, "endpoint", endpoint)

    def dump(self) -> dict[str, PeerState]:
        """Return the current state of all peers by public key."""
        return parse_dump(self.namespace.run("wg", "show", self.name, "dump"))

    def log(self) -> str:
        """Return the output of wireguard-go; empty with the kernel's WireGuard."""
        file = self.namespace.directory / "wireguard-go.log"
        return file.read_text() if file.exists() else ""

    def _await_socket(self, timeout_s: float = 60.0) -> None:
        deadline = time.monotonic() + timeout_s
        while self.process is not None and not _accepts(self.namespace.sockets / f"{self.name}.sock"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise LabError(
                    Problem(f"wireguard-go in {self.namespace.name}", "did not open its socket", got=self.log())
                )
            time.sleep(0.005)


def _accepts(path: Path) -> bool:
    """Return whether a unix socket accepts connections; wg(8) removes one that is bound but does not listen yet."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def parse_dump(text: str) -> dict[str, PeerState]:
    """Return the peers of `wg show IF dump`: one tab-separated line each, after the interface's own (wg(8))."""
    return {peer.public_key: peer for peer in map(_parse_peer, text.splitlines()[1:])}


def _parse_peer(line: str) -> PeerState:
    key, _preshared, endpoint, allowed, handshake, rx, tx, keepalive = line.split("\t")
    address, _, port = endpoint.rpartition(":")
    return PeerState(
        public_key=key,
        endpoint=None if endpoint == "(none)" else (address.strip("[]"), int(port)),
        allowed_ips=() if allowed == "(none)" else tuple(allowed.split(",")),
        handshake_s=int(handshake),
        rx=int(rx),
        tx=int(tx),
        keepalive_s=0 if keepalive == "off" else int(keepalive),
    )


def parse_get(text: str) -> dict[str, PeerState]:
    """Return the peers of a userspace device's answer to `get=1` (wireguard.com/xplatform, "Configuration")."""
    peers: list[dict[str, list[str]]] = []
    for line in text.split():
        name, _, value = line.partition("=")
        if name == "public_key":
            peers.append({})
        if peers:
            peers[-1].setdefault(name, []).append(value)
    return {peer.public_key: peer for peer in map(_peer_of_get, peers)}


def _peer_of_get(fields: Mapping[str, list[str]]) -> PeerState:
    def first(name: str) -> str:
        return fields.get(name, [""])[0]

    address, _, port = first("endpoint").rpartition(":")
    return PeerState(
        public_key=base64.b64encode(bytes.fromhex(first("public_key"))).decode(),
        endpoint=(address.strip("[]"), int(port)) if address else None,
        allowed_ips=tuple(fields.get("allowed_ip", ())),
        handshake_s=int(first("last_handshake_time_sec") or 0),
        rx=int(first("rx_bytes") or 0),
        tx=int(first("tx_bytes") or 0),
        keepalive_s=int(first("persistent_keepalive_interval") or 0),
    )
