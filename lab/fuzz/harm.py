"""What no table may do to a router, whatever its content: judged by what the router did."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from lab.fuzz.handler_rig import HUB_KEY, NUMBERS, REPORT_TOPIC, Outcome, Rig, Set, key_of
from lab.routeros.language.values import Value, render
from lab.routeros.menus.wireguard import PeersMenu
from lab.routeros.models.router import ModelRouter
from lab.routeros.mqtt.rules import message_limit_bytes
from wgmqtt.errors import WgmqttError
from wgmqtt.wire.report import decode_report

LONGEST_MS = 60_000.0
WRITES_PER_MINUTE, PINGS_PER_MINUTE = 150, 600  # of routeros/handler.rsc
PLACES = ("/interface/wireguard/peers", "/tool/netwatch", "/ip/dhcp-client", "/ppp/profile", "/certificate")
IOT_PLACES = ("/iot/mqtt/brokers", "/iot/mqtt/subscriptions")
ENDPOINT = ("endpoint-address", "endpoint-port")
KINDS = frozenset({"message", "handler-start", "handler-done", "set", "ping", "publish", "log"})
OWN_LINES = re.compile(r"wgmqtt: [ -~\n]{0,400}")
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")


class HarmError(Exception):
    """A table did something that no table may do; `str()` says what."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The items of every menu that scripts of wgmqtt may change, by menu and id."""

    items: Mapping[str, Mapping[str, Value]]

    def without_endpoints(self) -> Mapping[str, Mapping[str, Value]]:
        """Return all items without the endpoints of peers."""
        return {
            id_: {name: value for name, value in item.items() if name not in ENDPOINT}
            for id_, item in self.items.items()
        }


def kept_by(router: ModelRouter) -> Kept:
    """Return the items that the router has now."""
    items = {}
    has_iot = not router.router.switches.iot_listed_not_installed
    for path in (*PLACES, *(IOT_PLACES if has_iot else ())):
        menu = router.router.menu(path)
        for item in menu.items.values():  # type: ignore[attr-defined]
            items[f"{path} {item.id}"] = dict(item.kept)
    return Kept(items)


def judge(rig: Rig, before: Kept, payload: bytes, outcome: Outcome) -> None:
    """Check what a table did.

    Raises:
        HarmError: the table did something that no table may do.
    """
    after = kept_by(rig)
    _require(not outcome.errors, f"the handler ended with {outcome.errors}")
    _require(not outcome.events or outcome.events[-1].ms - outcome.events[0].ms < LONGEST_MS, "it took too long")
    _require({event.kind for event in outcome.events} <= KINDS, "an event that a handler must not cause")
    _require(all(OWN_LINES.fullmatch(line) for line in outcome.logs), f"a line of the log: {outcome.logs}")
    _require(len(outcome.logs) <= 2, f"more than two lines of the log: {outcome.logs}")
    _require(after.without_endpoints() == before.without_endpoints(), "something other than endpoints was changed")
    _judge_sets(rig, payload, outcome.sets)
    _judge_pings(rig, outcome)
    _judge_reports(rig, outcome)
    _judge_peers(rig, before, outcome.sets)


def _require(holds: object, what: str) -> None:
    if not holds:
        raise HarmError(what)


def _judge_sets(rig: Rig, payload: bytes, sets: list[Set]) -> None:
    text = spelled_out(payload)
    wanted = list(places_in(payload))
    for each in sets:
        _require(each.number > 0, f"a peer outside of the mesh: {each}")
        key = key_of(each.number)
        _require(
            key != HUB_KEY and rig.item(key).kept["interface"] == rig.device.name,
            f"a peer that the handler must not set: {each}",
        )
        _require(key in text, f"not in the table: {each}")
        _require(tuple(each.changes) == ENDPOINT, f"other than both halves of an endpoint: {each}")
        address, port = each.place
        _require(str(ip_address(address)) == address and 1 <= port <= 65535, f"no endpoint: {each}")
        _require(not is_special(ip_address(address)), f"an address at which no peer can be: {each}")
        near = (port, port + 1 if port < 65535 else 1)  # the other port, between two sets of the right one
        found = [place for place in wanted if place[0] == key and place[1] == address and place[2] in near]
        _require(found or not wanted, f"no entry contains this key, address and port: {each}")


def _judge_pings(rig: Rig, outcome: Outcome) -> None:
    """Require that every ping goes to an address that a peer of the mesh carries, and that no limit is passed."""
    peers = [key_of(number) for number in NUMBERS.values() if number > 0 and key_of(number) in rig.device.peers]
    carried = [ip_network(prefix) for key in peers for prefix in rig.device.peers[key].allowed]
    for text in {str(event.fields["address"]) for event in outcome.find("ping")}:
        address = ip_address(text)
        _require(any(address in prefix for prefix in carried), f"a ping to {text}, which no peer of the mesh carries")
        _require(not is_special(address), f"a ping to {text}")
    _require(len(outcome.sets) <= WRITES_PER_MINUTE, f"{len(outcome.sets)} writes")
    _require(len(outcome.find("ping")) <= PINGS_PER_MINUTE, f"{len(outcome.find('ping'))} pings")


def is_special(address: IPv4Address | IPv6Address) -> bool:
    """Return whether no peer can be at this address: unspecified, this network, loopback, multicast or reserved."""
    if address.version == 4:
        first = int(address) >> 24
        return first in (0, 127) or first >= 224
    return address.is_multicast or address.is_loopback or address.is_unspecified


def _judge_reports(rig: Rig, outcome: Outcome) -> None:
    for event in outcome.find("publish"):
        _require(event.fields["topic"] == REPORT_TOPIC, f"published to {event.fields['topic']}")
        size = event.fields["bytes"]
        assert isinstance(size, int)
        _require(size <= message_limit_bytes(rig.router.site.version), f"a report of {size} bytes")
    for payload in outcome.payloads:
        try:
            decode_report(payload, "report")
        except WgmqttError as error:
            raise HarmError(f"a report that the hub cannot read: {payload!r}") from error


def _judge_peers(rig: Rig, before: Kept, sets: list[Set]) -> None:
    """Require that each peer's endpoint is the last one set, or unchanged."""
    menu = rig.router.menu("/interface/wireguard/peers")
    assert isinstance(menu, PeersMenu)
    last = {key_of(each.number): each.place for each in sets}
    for item in menu.items.values():
        key = render(item.kept["public-key"])
        was = before.items[f"{menu.path} {item.id}"]
        wanted = last.get(key) or tuple(map(render, (was[name] for name in ENDPOINT)))
        _require(
            tuple(render(item.kept[name]) for name in ENDPOINT) == tuple(map(str, wanted)),
            f"the endpoint of {key} was not left as it was set",
        )


def spelled_out(payload: bytes) -> str:
    """Return a payload with JSON's character escapes decoded, as far as a key can contain them."""
    text = payload.decode("latin-1").replace("\\/", "/")
    return _UNICODE.sub(lambda match: chr(int(match[1], 16)), text)


def places_in(payload: bytes) -> Iterator[tuple[str, str, int]]:
    """Yield key, address and port of every object in the payload that has all three; none if it is not valid JSON."""
    try:
        document = json.loads(payload.decode("utf-8"), object_pairs_hook=list)
    except (ValueError, RecursionError):
        return
    yield from _places(document)


def _places(document: Any) -> Iterator[tuple[str, str, int]]:  # noqa: ANN401 - any document
    if not isinstance(document, list):
        return
    pairs = [pair for pair in document if isinstance(pair, tuple)]
    for key in [value for name, value in pairs if name == "key"]:
        for address in [value for name, value in pairs if name == "address"]:
            for port in [value for name, value in pairs if name == "port"]:
                if isinstance(port, int | float) and abs(port) < 2**63 and isinstance(key, str):
                    yield key, _plain(address), int(port)
    for member in document:
        yield from _places(member[1] if isinstance(member, tuple) else member)


def _plain(address: Any) -> str:  # noqa: ANN401 - any value
    text = str(address[0] if isinstance(address, list) and len(address) == 1 else address)
    try:
        return str(ip_address(text.partition("%")[0].partition("/")[0]))
    except ValueError:
        return text
