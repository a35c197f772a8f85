"""WireGuard's handshake as a peer begins it, without a device: "WireGuard: Next Generation Kernel Network Tunnel", 5.4.

For peers by the thousand that must have been heard once: an interface for each of them would take minutes to make.
"""

import hashlib
import hmac
import struct
import time
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

INITIATION_BYTES, RESPONSE_BYTES = 148, 92
_INITIATION, _RESPONSE, _DATA = 1, 2, 4
_CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
_IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
_TAI64_EPOCH = 0x400000000000000A
_NO_PRESHARED_KEY = bytes(32)


def public_key(private: bytes) -> bytes:
    """Return the public key of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


@dataclass(slots=True)
class Initiator:
    """One handshake of a peer with the key `private`, begun with the peer `responder` (its public key)."""

    private: bytes
    responder: bytes
    index: int
    _ephemeral: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    _chain: bytes = b""
    _hash: bytes = b""

    def initiation(self) -> bytes:
        """Return the first message."""
        self._chain = _hash(_CONSTRUCTION)
        self._hash = _hash(_hash(self._chain, _IDENTIFIER), self.responder)
        ephemeral = self._ephemeral.public_key().public_bytes_raw()
        (self._chain,) = _kdf(self._chain, ephemeral, 1)
        self._hash = _hash(self._hash, ephemeral)
        static = self._seal(self._shared(self._ephemeral), public_key(self.private))
        now_s, now_ns = divmod(time.time_ns(), 1_000_000_000)
        timestamp = struct.pack("!QI", _TAI64_EPOCH + now_s, now_ns)
        sealed_time = self._seal(self._shared(X25519PrivateKey.from_private_bytes(self.private)), timestamp)
        message = struct.pack("<II", _INITIATION, self.index) + ephemeral + static + sealed_time
        mac = hashlib.blake2s(message, digest_size=16, key=_hash(b"mac1----", self.responder)).digest()
        return message + mac + bytes(16)

    def keepalive(self, response: bytes) -> bytes:
        """Return the first packet of the session, an empty one, which confirms it to the responder."""
        kind, sender, receiver = struct.unpack_from("<III", response)
        assert (kind, receiver, len(response)) == (_RESPONSE, self.index, RESPONSE_BYTES), response
        ephemeral = response[12:44]
        (self._chain,) = _kdf(self._chain, ephemeral, 1)
        for key in (self._ephemeral, X25519PrivateKey.from_private_bytes(self.private)):
            shared = key.exchange(X25519PublicKey.from_public_bytes(ephemeral))
            (self._chain,) = _kdf(self._chain, shared, 1)
        self._chain, _, _ = _kdf(self._chain, _NO_PRESHARED_KEY, 3)
        sending, _ = _kdf(self._chain, b"", 2)
        return struct.pack("<IIQ", _DATA, sender, 0) + ChaCha20Poly1305(sending).encrypt(bytes(12), b"", None)

    def _shared(self, key: X25519PrivateKey) -> bytes:
        return key.exchange(X25519PublicKey.from_public_bytes(self.responder))

    def _seal(self, shared: bytes, text: bytes) -> bytes:
        self._chain, key = _kdf(self._chain, shared, 2)
        sealed = ChaCha20Poly1305(key).encrypt(bytes(12), text, self._hash)
        self._hash = _hash(self._hash, sealed)
        return sealed


def _hash(*parts: bytes) -> bytes:
    return hashlib.blake2s(b"".join(parts)).digest()


def _kdf(chain: bytes, text: bytes, count: int) -> tuple[bytes, ...]:
    """Return `count` keys (HKDF, RFC 5869, with BLAKE2s)."""
    secret = hmac.digest(chain, text, "blake2s")
    keys, last = [], b""
    for number in range(1, count + 1):
        last = hmac.digest(secret, last + bytes([number]), "blake2s")
        keys.append(last)
    return tuple(keys)
