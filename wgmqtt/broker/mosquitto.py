"""mosquitto's files: its configuration, access rules and passwords, which are created where they are missing."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wgmqtt.host.secrets import read_secret, write_private
from wgmqtt.model import BrokerAddress, Config
from wgmqtt.wire.table import MAX_TABLE_BYTES
from wgmqtt.wire.topics import topics_of

# Few rounds suffice because the passwords are random, and hashing blocks the single-threaded broker at each login
# (5 ms at 101 rounds, 989 ms at 600,000).
ROUNDS = 101
LEAST_MESSAGE_BYTES = 1 << 20
STATUS_LINE_BYTES = 768  # twice what a router or a link takes in the hub's status
MOST_PEERS = 120  # that fit into one router's table
MOST_RESERVED_BYTES = 32 << 20
LEAST_CONNECTIONS = 5000  # mosquitto reads this limit at its start only, and a small configuration may grow
DEFAULT_QUEUE = 1000  # mosquitto's own
MAX_TOPIC_BYTES = 1024
SECRET_BYTES = 24  # 192 bits
SALT_BYTES = 12
VIEWER = "viewer"
WEB = "web"

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

# Limits for the size of this configuration, against a router or viewer whose password was stolen.
# A larger packet ends the connection before it is read. The largest message is the hub's status.
message_size_limit {limits.message_bytes}
max_packet_size {limits.packet_bytes}
# No fewer than one message per router: the daemon reads back every table at its start.
max_queued_messages {limits.queued_messages}
max_queued_bytes {limits.queued_bytes}
max_inflight_messages 20
# Routers use clean sessions; any other session is deleted.
persistent_client_expiration 1h
max_keepalive 120
# A client that reconnects in a loop would fill the log. Set it to true to see who connects.
connection_messages false
"""
LISTENER_LIMITS = """
max_connections {limits.connections}
max_qos 1"""

ACCESS = """\
# wgmqtt: access rules. They do not depend on the configured routers and so rarely change: mosquitto 2.0 lets every user
# read everything if this file is missing or malformed at a reload.
user {hub}
topic readwrite {prefix}/#

# the account of wgmqtt status and wgmqtt events: reads everything
user {viewer}
topic read {prefix}/#
topic deny {prefix}/{viewer}/#

# the account of wgmqtt web: reads the hub's topics and the routers' tables
user {web}
topic read {prefix}/hub/#
topic read {prefix}/+/endpoints
topic deny {prefix}/{web}/#

# each router reads its own table, and writes its own report and will
pattern read {prefix}/%u/endpoints
pattern write {prefix}/%u/report
pattern write {prefix}/%u/online
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker may have to hold for one configuration."""

    connections: int
    message_bytes: int
    queued_messages: int
    queued_bytes: int

    @property
    def packet_bytes(self) -> int:
        """Return the size of an MQTT packet with the largest message, its topic and its header."""
        return self.message_bytes + MAX_TOPIC_BYTES


def limits_of(config: Config) -> Limits:
    """Return the limits that fit the number of routers and links."""
    routers = len(config.routers)
    message_bytes = LEAST_MESSAGE_BYTES + _status_bytes(routers, len(config.links))
    return Limits(
        # More than one for each router, because after an outage its old connection may still be there.
        connections=max(LEAST_CONNECTIONS, 3 * routers),
        message_bytes=message_bytes,
        queued_messages=DEFAULT_QUEUE + routers,
        queued_bytes=(DEFAULT_QUEUE + routers) * MAX_TABLE_BYTES + message_bytes,
    )


def _status_bytes(routers: int, links: int) -> int:
    """Return more than the hub's status takes, also after links were added: the broker would end the hub's connection.

    Nobody needs to run gen-mosquitto for a new link.
    """
    possible_links = min(routers * (routers - 1) // 2, MOST_PEERS * routers // 2)
    possible_bytes = min(STATUS_LINE_BYTES * (routers + possible_links), MOST_RESERVED_BYTES)
    return max(possible_bytes, STATUS_LINE_BYTES * (routers + links))


def render_configuration(config: Config, folder: str) -> str:
    """Return the text of `conf.d/wgmqtt.conf`. Source: mosquitto.conf(5)."""
    limits = limits_of(config)
    # Routers cannot reach a unix socket, so they need a listener of their own.
    addresses = [config.broker, config.broker_for_routers] if config.broker.unix_socket else [config.broker]
    listeners = "\n".join(_listener(address, limits) for address in addresses)
    return CONFIGURATION.format(listeners=listeners, folder=folder, limits=limits)


def _listener(address: BrokerAddress, limits: Limits) -> str:
    end = LISTENER_LIMITS.format(limits=limits)
    if address.unix_socket:
        return f"listener 0 {address.unix_socket}{end}"
    if address.tls is not None:  # wgmqtt's configuration does not name the broker's certificate and key
        text = f"listener {address.port} {address.host}: with TLS; add it yourself, with certfile, keyfile and{end}"
        return text.replace("listener", "# listener", 1).replace("\n", "\n#   ")
    return f"listener {address.port} {address.host}{end}"


def render_access(config: Config) -> str:
    """Return the text of the ACL file. Source: mosquitto.conf(5), acl_file."""
    topics = topics_of(config)
    return ACCESS.format(hub=config.username, viewer=VIEWER, web=WEB, prefix=topics.prefix)


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


def make_missing_secrets(config: Config) -> list[Path]:
    """Create a random password for each user without one; return the paths of the new files."""
    made = []
    for path in _secret_files(config).values():
        if not path.exists():
            write_private(path, secrets.token_urlsafe(SECRET_BYTES) + "\n")
            made.append(path)
    return made


def write_mosquitto(config: Config, folder: Path) -> list[Path]:
    """Write mosquitto's configuration, ACL and password file below `folder`; return the paths."""
    users = {user: read_secret(path) for user, path in _secret_files(config).items()}
    salts = {user: secrets.token_bytes(SALT_BYTES) for user in users}
    files = {
        folder / "wgmqtt.passwd": render_passwords(users, salts),
        folder / "wgmqtt.acl": render_access(config),
        folder / "conf.d" / "wgmqtt.conf": render_configuration(config, str(folder)),
    }
    for path, text in files.items():
        write_private(path, text, group="mosquitto")
    return list(files)


def _secret_files(config: Config) -> dict[str, Path]:
    folder = Path(config.router_password_dir)
    names = [VIEWER, WEB, *(router.name for router in config.routers)]
    return {config.username: Path(config.password_file)} | {name: folder / f"{name}.password" for name in names}
