"""What the parts of a configuration demand of each other. Pure."""

import posixpath
from collections.abc import Sequence
from ipaddress import ip_address

from wgmqtt.config.kinds import ALL, Placed
from wgmqtt.config.links import Mesh
from wgmqtt.config.nodes import Source
from wgmqtt.config.schema import BrokerKeys, HubKeys, RootKeys, RouterBrokerKeys, RouterKeys
from wgmqtt.config.sections import Values
from wgmqtt.wire.table import MAX_TABLE_BYTES

MAX_NAME = "x" * 32
SHOWN_ROUTERS = 3

_NamedRouters = Sequence[tuple[Placed[str], Values]]


def check_rules(values: Values, source: Source) -> Mesh:
    """Note what contradicts itself in the file that `values` holds; return the links, whole if nothing was noted."""
    hub = values.known(RootKeys.HUB, Values({}))
    routers = values.known(RootKeys.ROUTERS, ())
    _check_keys(hub, routers, source)
    _check_addresses(hub, routers, source)
    broker = values.known(RootKeys.BROKER, Values({}))
    _check_broker(broker, source)
    _check_user(broker, values.known(RootKeys.SECRETS_DIR, RootKeys.SECRETS_DIR.default or ""), routers, source)
    _check_certificates(broker, routers, source)
    pings = {name.value: router.known(RouterKeys.PING, "") for name, router in routers}
    mesh = Mesh(hub.known(HubKeys.NAME, MAX_NAME), pings)
    for group in _groups(values, mesh, source):
        mesh.add_group(group)
    _check_tables(values, mesh, source)
    return mesh


def _check_keys(hub: Values, routers: _NamedRouters, source: Source) -> None:
    own = hub.find(HubKeys.PUBLIC_KEY)
    owners = {} if own is None else {own.value: f"the hub (line {source.line_of(own.node)})"}
    for name, router in routers:
        key = router.find(RouterKeys.PUBLIC_KEY)
        if key is None:
            continue
        if key.value in owners:
            what = f"router {name.value} has the key of {owners[key.value]}"
            source.refuse(key.node, what, "a key of its own", hint="WireGuard knows a peer by its key alone")
        owners.setdefault(key.value, f"router {name.value} (line {source.line_of(key.node)})")


def _check_addresses(hub: Values, routers: _NamedRouters, source: Source) -> None:
    """Every tunnel and ping address means one way to one machine: none may stand twice."""
    places = [("the hub's tunnel_address", hub.find(HubKeys.TUNNEL_ADDRESS))]
    for name, router in routers:
        places.append((f"router {name.value}'s tunnel_address", router.find(RouterKeys.TUNNEL_ADDRESS)))
        places.append((f"router {name.value}'s ping", router.find(RouterKeys.PING)))
    owners: dict[str, str] = {}
    for what, address in places:
        if address is None:
            continue
        if address.value in owners:
            source.refuse(address.node, f"{what} is {owners[address.value]} too", "an address of its own")
        owners.setdefault(address.value, f"{what} (line {source.line_of(address.node)})")


def _check_broker(broker: Values, source: Source) -> None:
    host = broker.find(BrokerKeys.HOST)
    if host and _is_loopback(host.value) and broker.find(BrokerKeys.FOR_ROUTERS) is None:
        source.refuse(host.node, "host: no router reaches this address", hint="say in for_routers how they reach it")
    routers_host = broker.known(BrokerKeys.FOR_ROUTERS, Values({})).find(RouterBrokerKeys.HOST)
    if routers_host and _is_loopback(routers_host.value):
        source.refuse(routers_host.node, "host: no router reaches this address", given=routers_host.value)


def _check_user(broker: Values, secrets_dir: str, routers: _NamedRouters, source: Source) -> None:
    """A router is a user at the broker too: with the hub's name or password it would have the hub's rights."""
    user, file = broker.find(BrokerKeys.USERNAME), broker.find(BrokerKeys.PASSWORD_FILE)
    for name, _ in routers:
        if user and user.value == name.value:
            what = f"username: router {name.value} (line {source.line_of(name.node)}) has this name at the broker"
            source.refuse(user.node, what, "a name of its own")
        if file and posixpath.normpath(file.value) == posixpath.normpath(f"{secrets_dir}/{name.value}.password"):
            what = f"password_file: router {name.value} (line {source.line_of(name.node)}) has this file"
            source.refuse(file.node, what, "a file of its own")


def _check_certificates(broker: Values, routers: _NamedRouters, source: Source) -> None:
    """A router shows its certificate over TLS only."""
    told = broker.find(BrokerKeys.FOR_ROUTERS)
    place, key = (broker, BrokerKeys.TLS.name) if told is None else (told.value, RouterBrokerKeys.TLS.name)
    if key in place.found or key in place.refused or BrokerKeys.FOR_ROUTERS.name in broker.refused:
        return
    for name, router in routers:
        certificate = router.find(RouterKeys.CLIENT_CERTIFICATE)
        if certificate is not None:
            what = f"client_certificate: router {name.value} reaches the broker without TLS"
            source.refuse(certificate.node, what, "tls below broker, or below its for_routers")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _groups(values: Values, mesh: Mesh, source: Source) -> list[list[str]]:
    """Return the groups of links, each once, without the names that no router has."""
    links = values.find(RootKeys.LINKS)
    if links is None or isinstance(links.value, str):
        refused = RootKeys.LINKS.name in values.refused
        return [] if refused else [list(mesh.pings)]
    groups: dict[int, list[str]] = {}
    for group in links.value:
        if id(group.node) not in groups:
            groups[id(group.node)] = [name.value for name in group.value if _is_router(name, mesh, source)]
    return list(groups.values())


def _is_router(name: Placed[str], mesh: Mesh, source: Source) -> bool:
    known = name.value in mesh.pings
    if not known:
        hint = source.suggest(name.value, mesh.pings)
        source.refuse(name.node, "links: no such router", "a name under routers", name.value, hint)
    return known


def _check_tables(values: Values, mesh: Mesh, source: Source) -> None:
    if not mesh.too_large:
        return
    links = values.find(RootKeys.LINKS)
    place = (links or values.found[RootKeys.ROUTERS.name]).node
    ordered = sorted(mesh.too_large.items(), key=lambda item: -item[1])
    given = ", ".join(f"{name}: {size}" for name, size in ordered[:SHOWN_ROUTERS])
    more = len(ordered) - SHOWN_ROUTERS
    source.refuse(
        place,
        f"links: the table of {'one router' if len(ordered) == 1 else f'{len(ordered)} routers'} would be too large",
        f"{MAX_TABLE_BYTES} bytes, about 80 peers",
        given + (f", and {more} more" if more > 0 else ""),
        "link only those that exchange much" if links else f"links is absent, so it is {ALL}",
    )
