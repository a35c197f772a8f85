"""YAML text to a checked configuration, or all problems at once."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar, cast

from wgmqtt.config.keys import ROOT, ROUTER
from wgmqtt.config.nodes import Scalar, compose
from wgmqtt.config.rules import Routers, check_broker, check_links, check_public_endpoints, check_unique, check_users
from wgmqtt.config.sections import Fields, complete
from wgmqtt.model import BrokerAddress, Config, Hub, Router, Tls
from wgmqtt.problems import Source

T = TypeVar("T")


def parse_config(text: str, where: str) -> Config:
    """Return the configuration in `text`; `where` is the name of the file in messages.

    Raises:
        ConfigError: all problems that were found, each with FILE:LINE:COLUMN and the line.
    """
    source = Source(text.removeprefix("\ufeff"), where)
    node = compose(source)
    root = ROOT.read(node, Scalar(node.at, "the file"), source)
    root = root if isinstance(root, Fields) else Fields()
    hub, broker = root.part("hub"), root.part("broker")
    routers = _apply_defaults(root, source)
    check_unique(hub, routers, source)
    check_users(broker, root, routers, source)
    check_broker(broker, hub, routers, source)
    check_public_endpoints(root, routers, source)
    links = check_links(root, hub, routers, source)
    source.raise_problems()
    values = root.values | {"links": links, "hub": _make(Hub, hub.values)}
    values["routers"] = tuple(
        _make(Router, {"name": name.text, "key": router.values.pop("public_key")} | router.values)
        for name, router in routers
    )
    values["router_password_dir"], values["prefix"] = values.pop("secrets_dir"), values.pop("topic_prefix")
    values["username"], values["password_file"] = broker.values["username"], broker.values["password_file"]
    values["broker"] = values["broker_for_routers"] = address = _build_broker(broker)
    if "for_routers" in broker.values:
        values["broker_for_routers"] = _build_broker(broker.part("for_routers"))
    elif address.tls:
        values["broker_for_routers"] = replace(address, tls=Tls(address.tls.ca_file))
    values.pop("router_defaults", None)
    return _make(Config, values)


def _apply_defaults(root: Fields, source: Source) -> Routers:
    """Return the routers, each with the keys of router_defaults that it does not have itself."""
    defaults = root.part("router_defaults")
    routers = []
    for name, own in cast("Iterable[tuple[Scalar, Fields | None]]", root.values.get("routers") or ()):
        fields = Fields(defaults.values | own.values, defaults.at | own.at) if own else Fields()
        if own:
            complete(ROUTER.keys, fields, name.at, source)
        routers.append((name, fields))
    return routers


def _build_broker(broker: Fields) -> BrokerAddress:
    values = {name: broker.values[name] for name in ("host", "port", "tls", "unix_socket") if name in broker.values}
    return _make(BrokerAddress, {"host": "", "port": 8883 if "tls" in values else 1883} | values)


def _make(make: Callable[..., T], values: dict[str, object]) -> T:
    """Return a dataclass whose fields are named like the keys."""
    return make(**values)
