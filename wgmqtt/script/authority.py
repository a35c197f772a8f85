"""The certificates that may sign the broker's and that routers import."""

import hashlib
import re
import ssl
from pathlib import Path

from wgmqtt.errors import ConfigError, Problem
from wgmqtt.host.secrets import read_file
from wgmqtt.model import Authority, Config

MAX_AUTHORITY_BYTES = 256 << 10
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def read_authority(config: Config) -> Authority | None:
    """Return the certificates that the routers should import; None if the configuration names no file for them.

    Raises:
        ConfigError: the file cannot be read, has no certificate, or has something that no router may get.
    """
    tls = config.broker_for_routers.tls
    if tls is None or not tls.ca_file:
        return None
    text = read_file(Path(tls.ca_file), MAX_AUTHORITY_BYTES).decode("utf-8", "replace")
    expected = "one or more certificates in PEM"
    if "PRIVATE KEY-----" in text:
        what = "the file has a private key, and every router would get it"
        raise ConfigError(Problem(tls.ca_file, what, expected))
    fingerprints = []
    for pem in _CERTIFICATE.findall(text):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
            fingerprints.append(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest())
        except (ssl.SSLError, ValueError) as error:
            what = f"certificate {len(fingerprints) + 1} of the file is malformed"
            raise ConfigError(Problem(tls.ca_file, what, expected)) from error
    if not fingerprints:
        raise ConfigError(Problem(tls.ca_file, "the file has no certificate", expected))
    return Authority(tls.ca_file, tuple(dict.fromkeys(fingerprints)))
