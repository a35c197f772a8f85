"""What the keys of a configuration demand of each other."""

import posixpath
from typing import cast

from wgmqtt.config.kinds import Fields
from wgmqtt.config.nodes import Scalar
from wgmqtt.model import AnyNetwork, Endpoint, Link, link_of, reach_of
from wgmqtt.problems import Source, did_you_mean
from wgmqtt.wire.table import MAX_TABLE_BYTES
from wgmqtt.wire.table_size import link_groups

Routers = list[tuple[Scalar, Fields]]


def check_unique(hub: Fields, routers: Routers, source: Source) -> None:
    """Note equal keys, by which WireGuard identifies peers, and equal addresses, each of which is one machine's."""
    owners: dict[object, tuple[str, int]] = {}
    for owner, fields in [("the hub", hub), *((f"router {name.text}", fields) for name, fields in routers)]:
        for key in ("public_key", "tunnel_address", "ping", "public_endpoint"):
            value = fields.values.get(key)
            if value in owners:
                first, at = owners[value]
                what = f"{owner}'s {key} is also {first} (line {source.line_of(at)})"
                source.reject(fields.at[key], what, "a value of its own")
            elif value is not None:
                owners[value] = (f"{owner}'s {key}", fields.at[key])


def check_users(broker: Fields, root: Fields, routers: Routers, source: Source) -> None:
    """Note a router with the hub's name or password at the broker, with which it would have the hub's rights."""
    user, file = broker.values.get("username"), posixpath.normpath(str(broker.values.get("password_file")))
    for name, _ in routers:
        same = {"username": name.text == user}
        same["password_file"] = posixpath.normpath(f"{root.values.get('secrets_dir')}/{name.text}.password") == file
        for key in (key for key, is_same in same.items() if is_same):
            what = f"{key}: also that of router {name.text} (line {source.line_of(name.at)})"
            source.reject(broker.at[key], what, "one that no router has")


def check_broker(broker: Fields, hub: Fields, routers: Routers, source: Source) -> None:
    """Note a broker that cannot be reached or would get passwords unencrypted, and certificates without TLS."""
    for_routers = broker.part("for_routers")
    way = for_routers if "for_routers" in broker.at else broker
    for fields in (broker, for_routers):
        host = str(fields.values.get("host") or "")
        kind = reach_of(host)
        if kind == "unspecified":
            what, hint = "host: not an address to connect to", "write the address at which the broker listens"
            source.reject(fields.at["host"], what, got=host, hint=hint)
        if kind == "loopback" and fields is way:
            hint = "add for_routers with an address that they can reach" if way is broker else ""
            source.reject(fields.at["host"], "host: routers cannot reach a loopback address", got=host, hint=hint)
        is_plain = "tls" not in fields.at and fields.values.get("allow_plain") != "true"
        if kind == "public" and is_plain and host != hub.values.get("tunnel_address"):
            what = "host: without TLS the passwords could cross the internet unencrypted"
            expected = "the hub's tunnel_address or another private address, or tls"
            source.reject(fields.at["host"], what, expected, host, "allow_plain: true accepts it all the same")
    for _, router in routers if "host" in way.at and "tls" not in way.at else ():
        if "client_certificate" in router.values:
            what = "client_certificate: routers reach the broker without TLS"
            source.reject(router.at["client_certificate"], what, "tls below broker, or below its for_routers")


def check_public_endpoints(root: Fields, routers: Routers, source: Source) -> None:
    """Note public endpoints that are private."""
    networks = cast("tuple[AnyNetwork, ...]", root.values.get("also_publish") or ())
    for _, router in routers:
        endpoint = router.values.get("public_endpoint")
        if isinstance(endpoint, Endpoint) and not endpoint.ip.is_global and not any(endpoint.ip in n for n in networks):
            expected = "a public address, or one in a network of also_publish"
            source.reject(router.at["public_endpoint"], "public_endpoint: a private address", expected, str(endpoint))


def check_web(root: Fields, hub: Fields, source: Source) -> None:
    """Note a status page that everybody could read although nothing says that this is wanted."""
    web = root.part("web")
    listen = web.values.get("listen")
    if not isinstance(listen, Endpoint) or web.values.get("allow_public") == "true":
        return
    if reach_of(listen.address) in ("public", "unspecified") and listen.address != hub.values.get("tunnel_address"):
        what = "listen: everybody who reaches this address could read the status page"
        expected = "the hub's tunnel_address or another private address"
        source.reject(web.at["listen"], what, expected, str(listen), "allow_public: true accepts it all the same")


def check_links(root: Fields, hub: Fields, routers: Routers, source: Source) -> frozenset[Link]:
    """Note links to unknown routers and tables that are too large; return the links."""
    pings = {name.text: str(fields.values.get("ping")) for name, fields in routers}
    links = root.values.get("links")
    groups = [list(pings)] if links == "all" else []
    if isinstance(links, tuple):
        named = cast("tuple[tuple[Scalar, ...], ...]", links)
        for name in (name for group in named for name in group if name.text not in pings):
            hint = did_you_mean(source.nearest(name.text, pings))
            source.reject(name.at, "links: no such router", "a name below routers", name.text, hint)
        groups = [[name.text for name in group if name.text in pings] for group in named]
    neighbours, too_large = link_groups(str(hub.values.get("name") or "x" * 32), pings, groups)
    if too_large:
        ordered = sorted(too_large.items(), key=lambda item: -item[1])
        got = ", ".join(f"{name}: {size} bytes" for name, size in ordered[:3])
        got += f", and {len(ordered) - 3} more" if len(ordered) > 3 else ""  # noqa: PLR2004 - three are shown
        hint = "link only routers that exchange much traffic" + ("" if "links" in root.at else "; the default is all")
        tables = "the table of one router" if len(ordered) == 1 else f"the tables of {len(ordered)} routers"
        limit = f"at most {MAX_TABLE_BYTES} bytes, about 80 peers"
        at = root.at.get("links", root.at["routers"])
        source.reject(at, f"links: {tables} would be too large", limit, got, hint)
    return frozenset(link_of(name, other) for name, others in neighbours.items() for other in others)
