"""The status page in Chromium, on the hub of a lab in which a site moves: what it shows is what the daemon logged."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lab.network.addresses import HUB_TUNNEL
from lab.network.netns import python_module
from lab.testbed.browser import running_browser
from lab.testbed.child import Child
from lab.testbed.daemon import read_line
from lab.testbed.events import PATIENCE_S
from lab.testbed.lab import Lab

pytestmark = pytest.mark.lab

URL = f"http://{HUB_TUNNEL}:8080/"
ROUNDED_MS = 2.0  # the daemon publishes its times in whole milliseconds


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give two sites that reach each other directly."""
    with Lab() as made:
        made.start()
        yield made


def start_page_server(lab: Lab) -> Child:
    """Start `wgmqtt web` on the hub."""
    command = python_module("wgmqtt", "web", "-c", str(lab.config))
    child = Child("web", lab.network.hub, command, lab.log, read_line)
    lab.log.expect("web", "status page ready", PATIENCE_S)
    lab.log.expect("web", "status page connected to the broker", PATIENCE_S)
    return child


def metrics(lab: Lab) -> str:
    """Return the metrics, asked for from the hub itself."""
    program = f"import urllib.request; print(urllib.request.urlopen('{URL}metrics').read().decode())"
    return lab.network.hub.run("python3", "-c", program)


def shown_ms(page: Page, stage: int) -> float:
    """Return the milliseconds that the newest move shows for a stage."""
    text = page.locator("#moves > li").first.locator(".stage .ms").nth(stage).inner_text()
    return float(text.removesuffix(" ms").replace(",", ""))


def test_page_shows_a_move_as_it_happens_and_a_broker_that_is_away(
    lab: Lab, screenshot: Callable[[Page, str], Path]
) -> None:
    server = start_page_server(lab)
    with running_browser(lab.network.hub.command()) as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(URL)
        expect(page.locator("#headline")).to_have_text("The only link is direct.")
        expect(page.locator("#map [data-router]")).to_have_count(2)
        screenshot(page, "lab-before")

        moved = lab.move("site-a")
        address = lab.network.sites["site-a"].wan_address
        lab.direct("site-a", "site-b", PATIENCE_S, since_ns=moved.t_ns)
        newest = page.locator("#moves > li").first
        expect(newest).to_contain_text(f"→ {address}:")
        expect(newest.locator(".stage.done")).to_have_count(4)
        expect(page.locator("#rows tr").first).to_contain_text(address)
        screenshot(page, "lab-moved")
        detected = lab.log.expect("hub", "endpoint changed", PATIENCE_S, since_ns=moved.t_ns, router="site-a")
        proven = lab.log.expect("hub", "direct path proven", PATIENCE_S, since_ns=detected.t_ns)
        lines = lab.log.find("hub", "", since_ns=detected.t_ns, router="site-b")
        applied = next(event for event in lines if event.kind in ("table applied", "table final"))
        for stage, logged in ((2, applied), (3, proven)):
            assert shown_ms(page, stage) == pytest.approx((logged.t_ns - detected.t_ns) / 1e6, abs=ROUNDED_MS)
        text = metrics(lab)
        assert re.search(r'^wgmqtt_moves_total\{kind="moved"\} 1\.0$', text, re.MULTILINE)
        assert re.search(r'^wgmqtt_switch_seconds_count\{stage="proven"\} 1\.0$', text, re.MULTILINE)
        assert re.search(r'^wgmqtt_links\{path="direct"\} 1\.0$', text, re.MULTILINE)

        lab.broker.kill()
        expect(page.locator("#banners")).to_contain_text("No connection to the broker")
        screenshot(page, "lab-no-broker")
        lab.broker.start()
        expect(page.locator("#banners")).to_be_empty()
    assert server.stop() == 0
    phrases = [event.kind for event in lab.log.find("web", "")]
    assert phrases.count("status page has no connection to the broker") == 1
    assert phrases.count("status page connected to the broker") == 2
    assert "status page stopped" in phrases
