"""Create and delete the kernel's WireGuard interfaces inside a virtual machine, with ip(8) and wg(8)."""

import base64
import time
from hashlib import sha256

from lab.network.shell import run


def key(name: str) -> str:
    """Return a private key made from the name, always the same; only for tests."""
    raw = bytearray(sha256(f"wgmqtt test {name}".encode()).digest())
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return base64.b64encode(raw).decode()


def public(name: str) -> str:
    """Return the public key that belongs to `key(name)`."""
    return run("wg", "pubkey", text_in=key(name)).strip()


def make(interface: str, port: int, private_key: str, peers: str = "") -> None:
    """Create a WireGuard interface, configure it and bring it up."""
    run("ip", "link", "add", interface, "type", "wireguard")
    config = f"[Interface]\nListenPort = {port}\nPrivateKey = {private_key}\n{peers}"
    run("wg", "setconf", interface, "/dev/stdin", text_in=config)
    run("ip", "link", "set", interface, "up")


def delete(*interfaces: str) -> None:
    """Delete the interfaces that exist."""
    for interface in interfaces:
        run("sh", "-c", f"ip link delete {interface} 2>/dev/null || true")


def peer_text(public_key: str, allowed_ips: str, endpoint: str = "", keepalive_s: int = 0) -> str:
    """Return a peer's section in the format of wg(8)."""
    text = f"[Peer]\nPublicKey = {public_key}\nAllowedIPs = {allowed_ips}\n"
    text += f"Endpoint = {endpoint}\n" if endpoint else ""
    return text + (f"PersistentKeepalive = {keepalive_s}\n" if keepalive_s else "")


def many_peers(count: int) -> str:
    """Return peers without an endpoint, with an IPv4 and with an IPv6 endpoint, in turn; none ever has a session."""
    peers = []
    for number in range(count):
        port = 1000 + number
        place = ("", f"198.51.100.{number % 250}:{port}", f"[2001:db8::{number:x}]:{port}")[number % 3]
        peers.append(peer_text(key(f"peer {number}"), f"10.8.{number >> 8}.{number & 255}/32", place))
    return "".join(peers)


def make_pair(more_peers: str = "") -> None:
    """Create wg0, and wg1, which sends it a keepalive once a second over the loopback."""
    make("wg0", 51820, key("hub"), peer_text(public("site"), "10.9.0.2/32") + more_peers)
    make("wg1", 51821, key("site"), peer_text(public("hub"), "10.9.0.0/24", "127.0.0.1:51820", 1))


def wait_for_handshake(public_key: str) -> None:
    """Wait until wg0 has a session with this peer."""
    for _ in range(1800):
        if f"{public_key}\t0" not in run("wg", "show", "wg0", "latest-handshakes"):
            time.sleep(0.5)
            return
        time.sleep(0.1)
    raise TimeoutError("no handshake within 180 s")
