"""Run the emitted script on a router in memory, and return what it does with a table as plain data.

The configuration has one router under test, `berlin`, with links to others named p1, p2 ….
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from lab.routeros.language.values import render
from lab.routeros.models.device import Place, Reality
from lab.routeros.models.router import USUAL, Happened, ModelRouter, Peer
from lab.routeros.switches import Switches
from wgmqtt.model import BrokerAddress, Config, Hub, PublicKey, Router, link_of
from wgmqtt.script.render import Options, render_removal, render_script
from wgmqtt.script.templates import read_templates
from wgmqtt.wire.report import Report, decode_report
from wgmqtt.wire.topics import Topics

NAME = "berlin"
INTERFACE = "wireguard1"
PASSWORD = 'p\\w"$[:error]{;}?#'  # noqa: S105 - of a router that exists here only
TOPICS = Topics("wgmqtt/v1", "hub1")
TABLE_TOPIC = TOPICS.endpoints(NAME)
REPORT_TOPIC = TOPICS.report(NAME)
HUB_PLACE = ("192.0.2.1", 51820)
LIVE_S, DEAD_S = 10, 1_000  # ages of a handshake


@cache
def key_of(number: int) -> str:
    """Return the public key of peer `number`; 0 is the hub."""
    return base64.b64encode(bytes([255 - number % 251, number // 251] + [number % 256] * 30)).decode()


HUB_KEY = key_of(0)
NUMBERS: Mapping[str, int] = {key_of(number): number for number in range(300)}


def ping_of(number: int) -> str:
    """Return the address that only the direct peer `number` carries."""
    return f"10.98.{number // 250}.{number % 250 + 1}"


def place_of(number: int, port: int = 13231) -> Place:
    """Return an endpoint of peer `number`; each port gives a different one."""
    return f"198.51.{100 + number // 250}.{number % 250 + 1}", port


def peer(number: int, age_s: int | None = LIVE_S, **others: Any) -> Peer:  # noqa: ANN401 - fields of Peer
    """Return peer `number`, by default configured and live at `place_of(number)`."""
    allowed = (f"{ping_of(number)}/32",)
    known: dict[str, Any] = {"configured": place_of(number), "allowed": allowed, "age_s": age_s, **others}
    known.setdefault("reality", Reality(frozenset({known["configured"]} if known["configured"] else ())))
    return Peer(key_of(number), **known)


def hub_peer() -> Peer:
    """Return the hub's peer, which carries every address that no other peer carries."""
    return Peer(HUB_KEY, HUB_PLACE, ("0.0.0.0/0", "::/0"), age_s=LIVE_S, reality=Reality(frozenset({HUB_PLACE})))


def entry(number: int, place: Place | None, **others: object) -> dict[str, object]:
    """Return the line of a table for peer `number`."""
    line: dict[str, object] = {"key": key_of(number), "name": f"p{number}"}
    if place is not None:
        line |= {"address": place[0], "port": place[1]}
    return {**line, "ping": ping_of(number), **others}


def table(*lines: object, seq: object = "7", **others: object) -> bytes:
    """Return a table of these lines."""
    body = {"v": 1, "hub": "hub1", "seq": seq, "peers": list(lines), **others}
    return json.dumps(body, separators=(",", ":")).encode()


def make_config(peers: int, routeros: tuple[int, int] = (7, 17), interface: str = INTERFACE) -> Config:
    """Return a configuration in which the router under test has links to this many others."""
    under_test = Router(NAME, PublicKey(base64.b64decode(key_of(1000))), routeros, interface, "10.97.0.1")
    others = [
        Router(f"p{number}", PublicKey(base64.b64decode(key_of(number))), routeros, interface, ping_of(number))
        for number in range(1, peers + 1)
    ]
    broker = BrokerAddress("10.99.0.1")
    return Config(
        hub=Hub("hub1", ("wg0",), PublicKey(base64.b64decode(HUB_KEY)), "10.99.0.1"),
        broker=broker,
        broker_for_routers=broker,
        username="hub",
        password_file="",
        router_password_dir="",
        prefix=TOPICS.prefix,
        routers=(under_test, *others),
        links=frozenset(link_of(NAME, other.name) for other in others),
    )


@cache
def script_for(peers: int, routeros: tuple[int, int], *, may_ping: bool = True) -> str:
    """Return the script that `gen-rsc` prints for the router under test."""
    config = make_config(peers, routeros)
    return render_script(config, config.routers[0], PASSWORD, read_templates(), Options(may_ping=may_ping))


@cache
def script_of_removal() -> str:
    """Return the script that `gen-rsc --remove` prints for it."""
    config = make_config(1)
    return render_removal(config, config.routers[0], read_templates())


@dataclass(frozen=True, slots=True)
class Set:
    """A `set` of a peer. Each is a write to flash, even if it changes nothing."""

    ms: float
    number: int  # of the peer, -1 if it is not one of `NUMBERS`
    changes: Mapping[str, str]

    @property
    def place(self) -> Place:
        """Return the endpoint that was set."""
        return self.changes["endpoint-address"], int(self.changes["endpoint-port"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """The events from a table's arrival until the router is idle again."""

    events: tuple[Happened, ...]

    def find(self, kind: str) -> list[Happened]:
        """Return the events of one kind."""
        return [event for event in self.events if event.kind == kind]

    @property
    def sets(self) -> list[Set]:
        """Return the sets, in order."""
        return [
            Set(e.ms, NUMBERS.get(str(e.fields["public-key"]), -1), e.fields["changes"])  # type: ignore[arg-type]
            for e in self.find("set")
        ]

    @property
    def places(self) -> list[tuple[int, Place]]:
        """Return the peers that were set and their new endpoints, in order."""
        return [(each.number, each.place) for each in self.sets]

    @property
    def pings(self) -> list[str]:
        """Return the addresses that were pinged until the last report, in order."""
        return [str(event.fields["address"]) for event in self.find("ping") if event not in self._late_pings]

    @property
    def later_pings(self) -> list[tuple[str, float]]:
        """Return the addresses that were pinged after the last report, and when: seconds after that report."""
        if not self._late_pings:
            return []
        reported_ms = self.find("publish")[-1].ms
        return [(str(event.fields["address"]), (event.ms - reported_ms) / 1e3) for event in self._late_pings]

    @property
    def _late_pings(self) -> list[Happened]:
        kinds = [event.kind for event in self.events]
        last = len(kinds) - kinds[::-1].index("publish") if "publish" in kinds else len(kinds)
        return [event for event in self.events[last:] if event.kind == "ping"]

    @property
    def payloads(self) -> list[bytes]:
        """Return the reports as they were published."""
        sent = self.find("publish")
        assert all(event.fields["topic"] == REPORT_TOPIC for event in sent)
        return [str(event.fields["payload"]).encode() for event in sent if event.fields["ok"]]

    @property
    def reports(self) -> list[Report]:
        """Return the reports, decoded by the hub's own code."""
        return [decode_report(payload, "report") for payload in self.payloads]

    @property
    def did(self) -> dict[int, str]:
        """Return the `did` of each peer in the last report."""
        return {NUMBERS[str(line.key)]: line.did for line in self.reports[-1].peers}

    @property
    def logs(self) -> list[str]:
        """Return the lines of the log."""
        return [str(event.fields["text"]) for event in self.find("log")]

    @property
    def errors(self) -> list[str]:
        """Return the errors with which handlers ended."""
        return [str(event.fields["error"]) for event in self.find("handler-done") if not event.fields["ok"]]


class Rig(ModelRouter):
    """A router with the emitted script installed and connected."""

    def __init__(
        self,
        *peers: Peer,
        version: str = "7.20.8",
        switches: Switches = USUAL,
        others: Iterable[Peer] = (),
        edit_script: Callable[[str], str] = str,
    ) -> None:
        super().__init__(version, [hub_peer(), *peers, *others], switches, INTERFACE)
        major, minor, *_ = (int(part) for part in version.split("."))
        self.install(edit_script(script_for(len(peers), (major, minor))))
        self.events.clear()

    def get(self, payload: bytes) -> Outcome:
        """Send a table and return the outcome."""
        return Outcome(tuple(self.receive(TABLE_TOPIC, payload)))

    def get_later(self, seconds: float, payload: bytes) -> None:
        """Send a table while the handler of another one runs."""
        self.clock.after(seconds, lambda: self.hub_publishes(TABLE_TOPIC, payload))

    def later(self, seconds: float, number: int, place: Place | None) -> None:
        """Let a packet of a peer arrive later, from an endpoint."""
        self.clock.after(seconds, lambda: self.device.hear(key_of(number), place))

    def current(self, number: int) -> Place | None:
        """Return the peer's current endpoint."""
        return self.device.peers[key_of(number)].endpoint

    def configured(self, number: int) -> Place:
        """Return the peer's configured endpoint."""
        kept = self.item(key_of(number)).kept
        return render(kept["endpoint-address"]), int(render(kept["endpoint-port"]))


def with_reality(one: Peer, *places: Place, **others: Any) -> Peer:  # noqa: ANN401 - fields of Reality
    """Return the peer, reachable at these endpoints."""
    return replace(one, reality=Reality(frozenset(places), **others))
