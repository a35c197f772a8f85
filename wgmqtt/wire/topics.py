"""The wire contract: the topics, and the names that appear in them."""

import hmac
import re
from dataclasses import dataclass

from wgmqtt.model import Config

ROUTER_NAME = re.compile(r"[a-z0-9-]{1,32}")
CLIENT_ID_DIGITS = 16  # 64 bits: each guess is a connection to the broker
RESERVED_NAMES = frozenset({"hub", "viewer", "web", "canary"})


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one hub under one prefix. No wildcards: some brokers send no retained message to those."""

    prefix: str
    hub: str

    def endpoints(self, router: str) -> str:
        """Return the topic of `router`'s table; retained."""
        return f"{self.prefix}/{router}/endpoints"

    def report(self, router: str) -> str:
        """Return the topic of `router`'s report; retained."""
        return f"{self.prefix}/{router}/report"

    def online(self, router: str) -> str:
        """Return the topic of `router`'s will; retained."""
        return f"{self.prefix}/{router}/online"

    @property
    def hub_online(self) -> str:
        """Return the topic of the hub's will; retained."""
        return f"{self.prefix}/hub/{self.hub}/online"

    @property
    def hub_status(self) -> str:
        """Return the topic of the hub's status; retained."""
        return f"{self.prefix}/hub/{self.hub}/status"

    @property
    def hub_events(self) -> str:
        """Return the topic of the hub's log lines as they occur; not retained."""
        return f"{self.prefix}/hub/{self.hub}/events"

    @property
    def hub_who(self) -> str:
        """Return the topic on which a daemon asks whether another one is alive; not retained."""
        return f"{self.prefix}/hub/{self.hub}/who"

    @property
    def hub_fence(self) -> str:
        """Return the topic on which the daemon publishes to itself.

        When that message comes back, every message retained before it has arrived.
        """
        return f"{self.prefix}/hub/{self.hub}/fence"


def topics_of(config: Config) -> Topics:
    """Return the topics that a configuration names: those of its prefix and its hub."""
    return Topics(config.prefix, config.hub.name)


def router_client_id(router: str, password: str) -> str:
    """Return a router's MQTT client-id, which nobody can guess who does not know its password.

    A broker ends the connection of a client when another one connects with the same client-id, whoever that is.
    """
    digest = hmac.new(password.encode(), f"client-id {router}".encode(), "sha256").hexdigest()
    return f"wgmqtt-{router}-{digest[:CLIENT_ID_DIGITS]}"
