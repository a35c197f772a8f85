"""The metrics as Prometheus reads them, judged by promtool."""

import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab.testbed.sample_mesh import make_mesh
from wgmqtt import phrases
from wgmqtt.logline import Phrase, say
from wgmqtt.web.mesh import Mesh
from wgmqtt.web.metrics import DECLARED, Metrics
from wgmqtt.web.reasons import REASONS
from wgmqtt.wire.hub import HubStatus, Online, encode_event, encode_online, encode_status
from wgmqtt.wire.topics import Topics

NOW_S = 1_700_000_000.0
TOPICS = Topics("wgmqtt/v1", "hub1")
Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool")


def fed(status: HubStatus | None) -> tuple[Mesh, Metrics]:
    """Return a mesh that is connected, with this status, and its metrics."""
    mesh = Mesh(TOPICS, NOW_S)
    metrics = Metrics(mesh)
    mesh.connected(NOW_S)
    mesh.take(TOPICS.hub_online, encode_online(Online(is_online=True, instance="1")))
    if status is not None:
        mesh.take(TOPICS.hub_status, encode_status(status, status.routers, status.links))
    return mesh, metrics


def values(metrics: Metrics) -> Values:
    """Return every sample by its name and labels."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def of(found: Values, name: str) -> dict[str, float]:
    """Return the samples of one metric by the value of its only label."""
    return {labels[0][1]: value for (each, labels), value in found.items() if each == name}


def test_counts_are_those_of_the_status() -> None:
    status = make_mesh(200, NOW_S)
    found = values(fed(status)[1])
    assert sum(of(found, "wgmqtt_routers").values()) == 200
    assert of(found, "wgmqtt_routers")["silent"] == sum("no handshake" in line.trouble for line in status.routers)
    assert sum(of(found, "wgmqtt_links").values()) == len(status.links)
    direct = sum(line.state == "direct" for line in status.links)
    assert of(found, "wgmqtt_links")["direct"] == direct
    assert sum(of(found, "wgmqtt_links_not_direct").values()) == len(status.links) - direct
    assert set(of(found, "wgmqtt_links_not_direct")) == set(REASONS), "bounded, whatever the sentences say"
    handshakes = of(found, "wgmqtt_router_last_handshake_timestamp_seconds")
    assert handshakes == {line.name: line.handshake_s for line in status.routers}
    reports = of(found, "wgmqtt_router_last_report_timestamp_seconds")
    assert set(reports) == {line.name for line in status.routers if line.heard_s is not None}


@pytest.mark.parametrize(("hints", "expected"), [("active", 1), ("unavailable", 0), ("off", 0), ("", None)])
def test_hints(hints: str, expected: float | None) -> None:
    status = HubStatus("1", "0.1.0", is_frozen=True, at_s=NOW_S, managed=(), hints=hints)
    found = values(fed(status)[1])
    assert found.get(("wgmqtt_hints_active", ())) == expected
    assert found["wgmqtt_publishing_frozen", ()] == 1


def test_broker_and_hub_that_went_away_are_0() -> None:
    mesh, metrics = fed(make_mesh(5, NOW_S))
    before = values(metrics)
    mesh.take(TOPICS.hub_online, encode_online(Online(is_online=False, instance="1")))
    mesh.disconnected("connection ended", NOW_S)
    after = values(metrics)
    for name in ("wgmqtt_broker_connected", "wgmqtt_hub_online"):
        assert (before[name, ()], after[name, ()]) == (1, 0)


def play(mesh: Mesh, metrics: Metrics, after_s: float, phrase: Phrase, **fields: object) -> None:
    """Publish a line of the log."""
    change = mesh.take(TOPICS.hub_events, encode_event(say(phrase, **fields), NOW_S + after_s))
    metrics.observe(change.observations)


def test_switch_latency_is_a_histogram_for_each_stage() -> None:
    mesh, metrics = fed(make_mesh(5, NOW_S, is_calm=True))
    play(mesh, metrics, 0, phrases.ENDPOINT_CHANGED, router="berlin", endpoint="203.0.113.9:9", was="203.0.113.8:8")
    play(mesh, metrics, 0.001, phrases.TABLE_PUBLISHED, router="essen", seq=5, bytes=9)
    play(mesh, metrics, 0.019, phrases.TABLE_APPLIED, router="essen", seq=5, ms=18, did="set", error="none")
    play(mesh, metrics, 0.060, phrases.DIRECT, router="essen", peer="berlin", ms=59, tries=1)
    found = values(metrics)
    for stage, at_most, below in (("published", "0.001", None), ("applied", "0.02", "0.01"), ("proven", "0.1", "0.05")):
        assert found["wgmqtt_switch_seconds_count", (("stage", stage),)] == 1
        assert found["wgmqtt_switch_seconds_bucket", (("le", at_most), ("stage", stage))] == 1
        if below is not None:
            assert found["wgmqtt_switch_seconds_bucket", (("le", below), ("stage", stage))] == 0
    assert found["wgmqtt_moves_total", (("kind", "moved"),)] == 1


def test_every_declared_metric_is_printed_and_no_other_one_of_ours() -> None:
    mesh, metrics = fed(HubStatus("1", "0.1.0", is_frozen=False, at_s=NOW_S, managed=(), hints="active"))
    play(mesh, metrics, 0, phrases.ENDPOINT_CHANGED, router="berlin", endpoint="203.0.113.9:9", was="203.0.113.8:8")
    text = metrics.render().decode()
    helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP wgmqtt")}
    assert helped == {each.name for each in DECLARED}


def test_name_of_a_router_cannot_break_the_text_format() -> None:
    status = make_mesh(1, NOW_S, is_calm=True)
    hostile = 'a"} 1\nwgmqtt_fake 1\\'
    shown = 'a"} 1\\nwgmqtt_fake 1\\'
    line = type(status.routers[0])(hostile, "", NOW_S, NOW_S, 1.0, "")
    found = values(fed(HubStatus("1", '"\n\\', is_frozen=False, at_s=NOW_S, managed=(), routers=(line,)))[1])
    assert of(found, "wgmqtt_router_last_report_timestamp_seconds") == {shown: NOW_S}
    assert ("wgmqtt_fake", ()) not in found


@needs_promtool
@pytest.mark.parametrize("count", [0, 5, 2000])
def test_promtool_accepts_the_metrics(count: int) -> None:
    status = make_mesh(count, NOW_S) if count else None
    text = fed(status)[1].render()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)  # noqa: S607
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
