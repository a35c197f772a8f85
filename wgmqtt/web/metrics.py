"""The metrics: each declared once, filled from the mesh, printed in Prometheus' text format. Pure."""

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import prometheus_client
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wgmqtt import __version__
from wgmqtt.web.mesh import PATH_STATES, ROUTER_STATES, Mesh, path_states, router_state
from wgmqtt.web.moves import KINDS, Observation
from wgmqtt.web.reasons import REASONS, reason_of
from wgmqtt.wire.hub import HubStatus

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric as docs/web.md describes it."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    values: str = ""
    """The label's values, for the documentation."""


BUILD = Declared("wgmqtt_build_info", "gauge", "Versions: of this process and of the hub's daemon", ("web", "hub"))
CONNECTED = Declared("wgmqtt_broker_connected", "gauge", "1 while this process is connected to the broker")
ONLINE = Declared("wgmqtt_hub_online", "gauge", "1 while the hub's daemon is online")
STATUS_AT = Declared(
    "wgmqtt_status_timestamp_seconds", "gauge", "Unix time at which the hub published its last status; 0 for never"
)
FROZEN = Declared("wgmqtt_publishing_frozen", "gauge", "1 while publishing is frozen")
HINTS = Declared(
    "wgmqtt_hints_active",
    "gauge",
    "1 while the kernel's hints arrive, 0 while WireGuard is only polled or hints are off; absent while unknown",
)
HUB_TROUBLE = Declared("wgmqtt_hub_trouble", "gauge", "1 while the hub cannot read a WireGuard interface")
ROUTERS = Declared("wgmqtt_routers", "gauge", "Routers by state", ("state",), ", ".join(ROUTER_STATES))
LINKS = Declared("wgmqtt_links", "gauge", "Links by the path they take", ("path",), ", ".join(PATH_STATES))
NOT_DIRECT = Declared(
    "wgmqtt_links_not_direct", "gauge", "Links that are not direct, by the reason", ("reason",), ", ".join(REASONS)
)
HANDSHAKE = Declared(
    "wgmqtt_router_last_handshake_timestamp_seconds",
    "gauge",
    "Unix time of a router's last handshake with the hub; absent for never",
    ("router",),
)
REPORT = Declared(
    "wgmqtt_router_last_report_timestamp_seconds",
    "gauge",
    "Unix time of a router's last report; absent for never",
    ("router",),
)
MOVES = Declared(
    "wgmqtt_moves_total",
    "counter",
    "Changed endpoints since this process started; delayed by flap damping; first seen since the hub started",
    ("kind",),
    ", ".join(KINDS),
)
SWITCH = Declared(
    "wgmqtt_switch_seconds",
    "histogram",
    "From the detection of a move until an end of each of its links reached a stage",
    ("stage",),
    "published, applied, proven",
)

DECLARED: tuple[Declared, ...] = (
    BUILD,
    CONNECTED,
    ONLINE,
    STATUS_AT,
    FROZEN,
    HINTS,
    HUB_TROUBLE,
    ROUTERS,
    LINKS,
    NOT_DIRECT,
    HANDSHAKE,
    REPORT,
    MOVES,
    SWITCH,
)


class Metrics:
    """The metrics of one mesh, in a registry of their own."""

    def __init__(self, mesh: Mesh) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # series nobody asked for
        self._registry = CollectorRegistry()
        self._registry.register(_MeshCollector(mesh))
        self._switch = Histogram(SWITCH.name, SWITCH.help, SWITCH.labels, buckets=BUCKETS_S, registry=self._registry)
        ProcessCollector(registry=self._registry)

    def observe(self, observations: Sequence[Observation]) -> None:
        """Add measurements to the histograms."""
        for each in observations:
            self._switch.labels(each.stage).observe(each.seconds)

    def render(self) -> bytes:
        """Return all of them in the text format."""
        return prometheus_client.generate_latest(self._registry)


class _MeshCollector(Collector):
    """Makes the metrics from what is known when they are asked for, so that none can be outdated."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def collect(self) -> Iterator[Metric]:
        mesh, status = self._mesh, self._mesh.status
        yield _family(BUILD, [((__version__, status.version if status else ""), 1)])
        yield _family(CONNECTED, [((), mesh.broker.is_connected)])
        yield _family(ONLINE, [((), bool(mesh.is_online))])
        yield _family(STATUS_AT, [((), status.at_s if status else 0)])
        moves = CounterMetricFamily(MOVES.name, MOVES.help, labels=MOVES.labels)
        for kind, count in mesh.moves.detected.items():
            moves.add_metric((kind,), count)
        yield moves
        if status is not None:
            yield from _of_status(status)


def _of_status(status: HubStatus) -> Iterator[Metric]:
    yield _family(FROZEN, [((), status.is_frozen)])
    if status.hints:
        yield _family(HINTS, [((), status.hints == "active")])
    yield _family(HUB_TROUBLE, [((), bool(status.trouble))])
    routers = Tally(router_state(line, status.at_s) for line in status.routers)
    yield _family(ROUTERS, [((state,), routers[state]) for state in ROUTER_STATES])
    paths = path_states(status)
    links = Tally(paths)
    yield _family(LINKS, [((path,), links[path]) for path in PATH_STATES])
    lines = zip(status.links, paths, strict=True)
    reasons = Tally(reason_of(line.trouble) for line, path in lines if path != "direct")
    yield _family(NOT_DIRECT, [((reason,), reasons[reason]) for reason in REASONS])
    handshakes = [((line.name,), line.handshake_s) for line in status.routers if line.handshake_s is not None]
    reports = [((line.name,), line.heard_s) for line in status.routers if line.heard_s is not None]
    yield _family(HANDSHAKE, handshakes)
    yield _family(REPORT, reports)


def _family(declared: Declared, samples: Sequence[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(declared.name, declared.help, labels=declared.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
