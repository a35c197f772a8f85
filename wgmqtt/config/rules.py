"""What the keys of a configuration demand of each other."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import cast

from wgmqtt.config.nodes import Scalar
from wgmqtt.config.sections import Fields
from wgmqtt.model import Link, link_of
from wgmqtt.problems import Source, did_you_mean
from wgmqtt.wire.table import MAX_TABLE_BYTES, longest_line_bytes, longest_table_bytes

Routers = list[tuple[Scalar, Fields]]
SHOWN_ROUTERS = 3


def check_unique(hub: Fields, routers: Routers, source: Source) -> None:
    """Note equal keys, by which WireGuard identifies peers, and equal addresses, each of which is one machine's."""
    owners: dict[object, tuple[str, int]] = {}
    for owner, fields in [("the hub", hub), *((f"router {name.text}", fields) for name, fields in routers)]:
        for key in ("public_key", "tunnel_address", "ping"):
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
        place = f"router {name.text} (line {source.line_of(name.at)})"
        if name.text == user:
            source.reject(broker.at["username"], f"username: also that of {place}", "a name of its own")
        if posixpath.normpath(f"{root.values.get('secrets_dir')}/{name.text}.password") == file:
            source.reject(broker.at["password_file"], f"password_file: also that of {place}", "a file of its own")


def check_broker(broker: Fields, routers: Routers, source: Source) -> None:
    """Note a broker that routers cannot reach, and certificates for which there is no TLS."""
    way = broker.part("for_routers") if "for_routers" in broker.at else broker
    host = str(way.values.get("host"))
    if _is_loopback(host):
        hint = "add for_routers with an address that they can reach" if way is broker else ""
        source.reject(way.at["host"], "host: routers cannot reach a loopback address", got=host, hint=hint)
    for _, router in routers if "host" in way.at and "tls" not in way.at else ():
        if "client_certificate" in router.values:
            what = "client_certificate: routers reach the broker without TLS"
            source.reject(router.at["client_certificate"], what, "tls below broker, or below its for_routers")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


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
        got = ", ".join(f"{name}: {size} bytes" for name, size in ordered[:SHOWN_ROUTERS])
        got += f", and {len(ordered) - SHOWN_ROUTERS} more" if len(ordered) > SHOWN_ROUTERS else ""
        hint = "link only routers that exchange much traffic" + ("" if "links" in root.at else "; the default is all")
        tables = "the table of one router" if len(ordered) == 1 else f"the tables of {len(ordered)} routers"
        limit = f"at most {MAX_TABLE_BYTES} bytes, about 80 peers"
        at = root.at.get("links", root.at["routers"])
        source.reject(at, f"links: {tables} would be too large", limit, got, hint)
    return frozenset(link_of(name, other) for name, others in neighbours.items() for other in others)


def link_groups(
    hub: str, pings: Mapping[str, str], groups: Iterable[Sequence[str]]
) -> tuple[dict[str, set[str]], dict[str, int]]:
    """Return the neighbours of each router, and the bytes of each table that is too large; those get no more lines."""
    lines = {name: longest_line_bytes(name, ping) for name, ping in pings.items()}
    empty = longest_table_bytes(hub)
    neighbours: dict[str, set[str]] = {}
    too_large: dict[str, int] = {}
    for group in groups:
        group_bytes = sum(lines[name] for name in group)
        for name in group:
            known = neighbours.setdefault(name, set())
            size = empty + group_bytes - lines[name] - 1  # the last line has no comma
            before = len(known)
            if size <= MAX_TABLE_BYTES and name not in too_large:
                known.update(group)
                known.discard(name)
            if len(known) > before:
                size = empty + sum(lines[other] for other in known) - 1
            if size > MAX_TABLE_BYTES:
                too_large[name] = max(size, too_large.get(name, 0))
    return neighbours, too_large
