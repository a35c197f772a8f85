"""What a lab is made of, and the configuration that the product gets in it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab.network.addresses import HUB_TUNNEL, Family, wan_net
from lab.network.nat import Nat, NatKind
from lab.network.topology import Network, Site
from lab.network.wireguard import Kind
from lab.testbed.broker import HUB_USER, PORT

PREFIX = "wgmqtt/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a lab is made of.

    `config` is laid over the configuration's top level, `routers` over each router's part of it. `edit_script` spoils
    scripts. In `nat` a site's name instead of a kind says: behind the box of that site.
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


def render_configuration(setting: Setting, network: Network, secrets: Path) -> str:
    """Return the text of config.yaml: every site a router, all linked, and `setting.config` laid over it."""
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
        # The lab's internet is made of addresses kept for documentation, which are not global.
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
