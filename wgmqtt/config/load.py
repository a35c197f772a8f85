"""The configuration: read from its file, checked, and turned into a `Config`; or all problems at once."""

import gc
import pickle
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

from wgmqtt.config import rules
from wgmqtt.config.keys import ROOT, ROUTER
from wgmqtt.config.kinds import Fields, complete
from wgmqtt.config.nodes import Scalar, compose
from wgmqtt.errors import ConfigError, Problem
from wgmqtt.host.malloc import give_back
from wgmqtt.host.secrets import read_file
from wgmqtt.model import BrokerAddress, Config, Hub, Router, Tls, Web
from wgmqtt.problems import Source

T = TypeVar("T")
MAX_FILE_BYTES = 4 << 20


def read_config(path: str | Path) -> Config:
    """Return the configuration in the file at `path`.

    Raises:
        ConfigError: the file cannot be read, or all problems that were found in it.
    """
    content = read_file(Path(path), MAX_FILE_BYTES)
    try:
        packed = pickle.dumps(parse_config(content.decode("utf-8"), str(path)))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(Problem(f"{path}:{line}", "not UTF-8", got=f"byte 0x{content[error.start]:02x}")) from error
    # A copy, made when the nodes are gone: the original lies between them and would keep their memory (of 10,000
    # routers, 62 MiB stay resident instead of 34).
    gc.collect()
    config: Config = pickle.loads(packed)  # noqa: S301 - made above
    give_back()
    return config


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
    rules.check_unique(hub, routers, source)
    rules.check_users(broker, root, routers, source)
    rules.check_broker(broker, hub, routers, source)
    rules.check_public_endpoints(root, routers, source)
    rules.check_web(root, hub, source)
    links = rules.check_links(root, hub, routers, source)
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
    values["web"] = _build_web(root.part("web"))
    values.pop("router_defaults", None)
    return _make(Config, values)


def _apply_defaults(root: Fields, source: Source) -> rules.Routers:
    """Return the routers, each with the keys of router_defaults that it does not have itself."""
    defaults = root.part("router_defaults")
    routers = []
    for name, own in cast("Iterable[tuple[Scalar, Fields | None]]", root.values.get("routers") or ()):
        fields = Fields(defaults.values | own.values, defaults.at | own.at) if own else Fields()
        if own:
            complete(ROUTER.keys, fields, name.at, source)
        routers.append((name, fields))
    return routers


def _build_web(web: Fields) -> Web:
    return _make(Web, {name: web.values[name] for name in ("listen", "names") if name in web.values})


def _build_broker(broker: Fields) -> BrokerAddress:
    values = {name: broker.values[name] for name in ("host", "port", "tls", "unix_socket") if name in broker.values}
    return _make(BrokerAddress, {"host": "", "port": 8883 if "tls" in values else 1883} | values)


def _make(make: Callable[..., T], values: dict[str, object]) -> T:
    return make(**values)
