"""docs/web.md, the alerts and the dashboard against the metrics that there are, judged by promtool."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.docs.metrics_table import PAGE, render_page
from wgmqtt.web.mesh import PATH_STATES
from wgmqtt.web.metrics import DECLARED

DOCS = PAGE.parent
ALERTS = DOCS / "alerts.yaml"
DASHBOARD = json.loads((DOCS / "grafana.json").read_text())
METRICS = {each.name: each for each in DECLARED}

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool")


def promtool(*arguments: str) -> str:
    """Run promtool, and return what it printed; fail if it found anything."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dashboard_queries() -> list[str]:
    """Return each query of the dashboard, its variables filled in."""
    queries = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [
        query.replace("$__rate_interval", "5m").replace("$instance", ".*").replace("$job", "j") for query in queries
    ]


def alert_queries() -> list[str]:
    """Return the query of each alert."""
    return [rule["expr"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def test_page_has_the_table_of_the_declarations() -> None:
    page = PAGE.read_text()
    assert page == render_page(page), "run python -m tests.docs.metrics_table"
    assert page.count("| `wgmqtt_") == len(DECLARED)


def test_page_describes_each_path() -> None:
    names = re.findall(r"^  \| ([a-z ]+) \| [^|]+ \|$", PAGE.read_text(), re.MULTILINE)
    assert names == ["path", *(state.replace("hub", "through the hub") for state in PATH_STATES)]


@needs_promtool
def test_alerts_are_five_valid_rules() -> None:
    assert "SUCCESS: 5 rules found" in promtool("check", "rules", str(ALERTS))


@needs_promtool
def test_each_alert_fires_when_it_should_and_no_other() -> None:
    promtool("test", "rules", str(Path(__file__).with_name("alerts.test.yaml")))


def test_alerts_and_dashboard_ask_for_metrics_and_labels_that_there_are() -> None:
    queries = [*dashboard_queries(), *alert_queries()]
    assert len(queries) > 20
    for query in queries:
        for name, labels in re.findall(r"\b(wgmqtt_[a-z_]+)(?:\{([^}]*)\})?", query):
            metric = METRICS.get(name) or METRICS[name.removesuffix("_bucket")]
            asked = set(re.findall(r"([a-z]+)(?:=~|!=|=)", labels)) - {"instance", "job"}
            assert asked <= set(metric.labels), query


def test_dashboard_shows_every_metric() -> None:
    shown = "\n".join(dashboard_queries())
    assert [name for name in METRICS if name not in shown and name != "wgmqtt_hub_trouble"] == []


@needs_promtool
def test_every_query_of_the_dashboard_is_valid(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(dashboard_queries())]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(file))


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in (
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ):
            assert taken.setdefault(cell, panel["title"]) == panel["title"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
