"""What mosquitto needs for the contract: a listener, who may do what, and the passwords' hashes. Pure."""

import base64
import hashlib
from collections.abc import Mapping

from wgmqtt.model import BrokerAddress, Config
from wgmqtt.wire.topics import Topics

# Few rounds on purpose: the passwords are random, and hashing blocks the single-threaded broker at each log-in
# (5 ms at 101 rounds, 989 ms at 600,000).
ROUNDS = 101
VIEWER = "viewer"

CONFIGURATION = """\
# wgmqtt: the broker inside the tunnel. Written by "wgmqtt gen-mosquitto"; made again at each call.
{listeners}
allow_anonymous false
password_file {folder}/wgmqtt.passwd
acl_file {folder}/wgmqtt.acl
# No database: after a crash an old table must not come back. The daemon publishes again what is missing.
persistence false
# Without this each acknowledged message waits some 40 ms.
set_tcp_nodelay true
"""

ACCESS = """\
# wgmqtt: who may do what. It never changes with the routers: mosquitto 2.0 lets everybody read everything when this
# file is missing or broken at a reload.
user {hub}
topic readwrite {prefix}/#

# reads all, writes nothing: for wgmqtt status
user {viewer}
topic read {prefix}/#

# a router reads its own table and writes its own report and will
pattern read {prefix}/%u/endpoints
pattern write {prefix}/%u/report
pattern write {prefix}/%u/online
"""


def render_configuration(config: Config, folder: str) -> str:
    """Return the text of `conf.d/wgmqtt.conf`. Source: mosquitto.conf(5)."""
    # The hub's own way in; a unix socket serves no router, so theirs stands beside it.
    ways = [config.broker, config.broker_for_routers] if config.broker.unix_socket else [config.broker]
    return CONFIGURATION.format(listeners="\n".join(map(_listener, ways)), folder=folder)


def _listener(way: BrokerAddress) -> str:
    if way.unix_socket:
        return f"listener 0 {way.unix_socket}"
    if way.tls is not None:  # its certificate and key are not in our configuration
        return f"# listener {way.port} {way.host}: it speaks TLS, so write it yourself, with certfile and keyfile"
    return f"listener {way.port} {way.host}"


def render_access(config: Config) -> str:
    """Return the text of the ACL file. Source: mosquitto.conf(5), acl_file."""
    topics = Topics(config.prefix, config.hub.name)
    return ACCESS.format(hub=config.username, viewer=VIEWER, prefix=topics.prefix)


def render_passwords(passwords: Mapping[str, str], salts: Mapping[str, bytes]) -> str:
    """Return the text of the password file, a line for each user, as mosquitto_passwd(1) writes it.

    `salts` holds 12 random bytes for each user.
    """
    lines = []
    for user in sorted(passwords):
        digest = hashlib.pbkdf2_hmac("sha512", passwords[user].encode(), salts[user], ROUNDS, 64)
        salt, hashed = (base64.b64encode(part).decode() for part in (salts[user], digest))
        lines.append(f"{user}:$7${ROUNDS}${salt}${hashed}\n")
    return "".join(lines)
