"""The settings of a lab, and the configuration that wgmqtt gets in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab.network.addresses import HUB_TUNNEL, Family, wan_net
from lab.network.nat import Nat, NatKind
from lab.network.topology import Network, Site
from lab.network.wireguard import Kind
from lab.testbed.broker import HUB_USER, PORT
from lab.testbed.events import PATIENCE_S

PREFIX = "wgmqtt/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The settings of a lab.

    `config` replaces keys at the top level of the configuration, `routers` keys of each router. `edit_script` changes
    the script that a router imports. In `nat`, a site's name instead of a kind puts a site behind that site's box.
    """

    sites: int = 2
    family: Family = 4
    nat: Nat = NatKind.PORT_RESTRICTED
    wireguard: Kind = "auto"
    routeros: str = "7.20.8"
    switches: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    routers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    edit_script: Callable[[str], str] = str
    log_level: str = "info"
    patience_s: float = PATIENCE_S
    """How long checks wait for what must happen; short where a script is meant to fail."""


def render_configuration(setting: Setting, network: Network, secrets: Path) -> str:
    """Return the text of config.yaml: every site is a router, all are linked, and `setting.config` replaces keys."""
    device = network.hub_device
    hub = {
        "name": "hub1",
        "interfaces": [device.name],
        "public_key": device.keys.public,
        "tunnel_address": HUB_TUNNEL,
    }
    broker = {
        "host": HUB_TUNNEL,
        "port": PORT,
        "username": HUB_USER,
        "password_file": f"{secrets}/{HUB_USER}.password",
    }
    configuration: dict[str, object] = {
        "hub": hub,
        "broker": broker,
        "secrets_dir": str(secrets),
        # The lab's internet has addresses reserved for documentation, which are not global.
        "also_publish": [wan_net(setting.family)],
        "routers": {
            site.name: _router(site, setting.routeros) | dict(setting.routers.get(site.name, {}))
            for site in network.sites.values()
        },
        "links": "all",
    }
    return yaml.safe_dump(configuration | dict(setting.config), sort_keys=False)


def _router(site: Site, routeros: str) -> dict[str, object]:
    return {
        "public_key": site.public_key,
        "routeros": ".".join(routeros.split(".")[:2]),
        "interface": site.device.name,
        "tunnel_address": site.plan.tunnel,
        "ping": site.plan.probe,
    }
