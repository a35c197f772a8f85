"""The texts of mosquitto's files: its configuration, access rules and password hashes."""

import base64
import hashlib
from collections.abc import Mapping

from wgmqtt.model import BrokerAddress, Config
from wgmqtt.wire.topics import topics_of

# Few rounds suffice because the passwords are random, and hashing blocks the single-threaded broker at each login
# (5 ms at 101 rounds, 989 ms at 600,000).
ROUNDS = 101
VIEWER = "viewer"

CONFIGURATION = """\
# wgmqtt: the broker inside the tunnel. Written by "wgmqtt gen-mosquitto", which overwrites it each time.
{listeners}
allow_anonymous false
password_file {folder}/wgmqtt.passwd
acl_file {folder}/wgmqtt.acl
# No database: old tables must not come back after a crash. The daemon publishes what is missing.
persistence false
# Without this each acknowledged message is delayed by some 40 ms.
set_tcp_nodelay true
"""

ACCESS = """\
# wgmqtt: access rules. They do not depend on the configured routers and so rarely change: mosquitto 2.0 lets every user
# read everything if this file is missing or malformed at a reload.
user {hub}
topic readwrite {prefix}/#

# the account of wgmqtt status and wgmqtt events: reads everything
user {viewer}
topic read {prefix}/#

# each router reads its own table, and writes its own report and will
pattern read {prefix}/%u/endpoints
pattern write {prefix}/%u/report
pattern write {prefix}/%u/online
"""


def render_configuration(config: Config, folder: str) -> str:
    """Return the text of `conf.d/wgmqtt.conf`. Source: mosquitto.conf(5)."""
    # Routers cannot reach a unix socket, so they need a listener of their own.
    addresses = [config.broker, config.broker_for_routers] if config.broker.unix_socket else [config.broker]
    return CONFIGURATION.format(listeners="\n".join(map(_listener, addresses)), folder=folder)


def _listener(address: BrokerAddress) -> str:
    if address.unix_socket:
        return f"listener 0 {address.unix_socket}"
    if address.tls is not None:  # wgmqtt's configuration does not name the broker's certificate and key
        return f"# listener {address.port} {address.host}: with TLS; add it yourself, with certfile and keyfile"
    return f"listener {address.port} {address.host}"


def render_access(config: Config) -> str:
    """Return the text of the ACL file. Source: mosquitto.conf(5), acl_file."""
    topics = topics_of(config)
    return ACCESS.format(hub=config.username, viewer=VIEWER, prefix=topics.prefix)


def render_passwords(passwords: Mapping[str, str], salts: Mapping[str, bytes]) -> str:
    """Return the text of the password file, one line per user, in the format of mosquitto_passwd(1).

    `salts` holds 12 random bytes per user.
    """
    lines = []
    for user in sorted(passwords):
        digest = hashlib.pbkdf2_hmac("sha512", passwords[user].encode(), salts[user], ROUNDS, 64)
        salt, hashed = (base64.b64encode(part).decode() for part in (salts[user], digest))
        lines.append(f"{user}:$7${ROUNDS}${salt}${hashed}\n")
    return "".join(lines)
