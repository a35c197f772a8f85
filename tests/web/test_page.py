"""The page in a real Chromium: what a person sees, with a mouse, with the keyboard alone, on a phone."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from lab.testbed.browser import PATIENCE_MS
from lab.testbed.sample_mesh import make_mesh
from lab.testbed.web_server import WebServer, running_web
from wgmqtt import phrases
from wgmqtt.logline import say
from wgmqtt.wire.hub import HubStatus

pytestmark = pytest.mark.process
Scheme = Literal["light", "dark"]
Keep = Callable[[Page, str], Path]

DESKTOP, PHONE = (1440, 1000), (390, 844)
HOSTILE = "<img src=x onerror=hacked()><script>hacked()</script>'\"&lt;\x1b[31m\u202eevil"
HOSTILE_SHOWN = "<img src=x onerror=hacked()><script>hacked()</script>'\"&lt;\\x1b[31m\\u202eevil"
CONTRAST = Path(__file__).with_name("contrast.js").read_text()


@dataclass
class Seen:
    """What the browser did beside showing the page."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def opened(
    browser: Browser, url: str, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light"
) -> Iterator[tuple[Page, Seen]]:
    """Give the open page, and what the browser asks for and complains of."""
    seen = Seen()
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()

    def note(request: Request) -> None:
        seen.requests.append(request.url)

    page.on("request", note)
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", lambda dialog: seen.complaints.append(f"dialog {dialog.message}"))
    try:
        page.goto(url)
        yield page, seen
    finally:
        context.close()


def publish(server: WebServer, status: HubStatus) -> HubStatus:
    """Publish a status of this moment."""
    server.publish(status)
    return status


def fresh(count: int, *, is_calm: bool = False) -> HubStatus:
    """Return a mesh as of now."""
    return make_mesh(count, time.time(), is_calm=is_calm)


def row(page: Page, name: str) -> Locator:
    """Return the row of the table that has this name."""
    return page.locator("#rows tr").filter(has=page.get_by_role("button", name=name, exact=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("count", [5, 200, 2000])
def test_mesh_of_any_size_is_readable(  # noqa: PLR0913, PLR0917 - each is a fixture or a parameter
    server: WebServer, browser: Browser, screenshot: Keep, count: int, size: tuple[int, int], scheme: Scheme
) -> None:
    status = publish(server, fresh(count))
    with opened(browser, server.url, size, scheme) as (page, seen):
        expect(page.locator("#map [data-router]")).to_have_count(count)
        direct = sum(line.state == "direct" for line in status.links)
        expect(page.get_by_role("button", name=re.compile(f"^direct {direct:,}$"))).to_be_visible()
        expect(page.locator("#routers-of")).to_have_text(f" of {count:,}")
        expect(page.locator("#rows tr")).to_have_count(min(count, 100))
        screenshot(page, f"{count}-routers-{scheme}-{size[0]}")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], "nothing is cut off at the right"
        assert page.evaluate(CONTRAST) == [], "every text is at least 4.5 times as light or dark as its background"
    assert seen.complaints == []
    assert {url for url in seen.requests if not url.startswith(server.url)} == set(), "no request to anywhere else"


def test_trouble_is_shown_with_the_next_step_and_grouped(server: WebServer, browser: Browser) -> None:
    publish(server, fresh(200))
    with opened(browser, server.url) as (page, _):
        expect(page.locator("#headline")).to_have_text(re.compile(r"^\d+ routers in trouble, \d+ links not direct\.$"))
        silent = page.locator("#wrong li").filter(has_text="no handshake with the hub for over 3 minutes")
        expect(silent).to_have_count(1)
        expect(silent).to_contain_text("check that the router is on, online, and that its clock is right (NTP)")
        silent.get_by_role("button", name=re.compile("^and .* more$")).click()
        expect(page.locator("#shown")).to_have_text("5 routers of 200")
        expect(page.locator("#rows .state")).to_have_text(["silent"] * 5)


def test_calm_mesh_says_so(server: WebServer, browser: Browser) -> None:
    status = publish(server, fresh(5, is_calm=True))
    with opened(browser, server.url) as (page, _):
        expect(page.locator("#headline")).to_have_text(f"All {len(status.links)} links are direct.")
        expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
        expect(page.locator("#news")).to_have_text(re.compile(r"^hub's status of \d+ s ago$"))


def test_text_from_routers_stays_text(server: WebServer, browser: Browser, screenshot: Keep) -> None:
    calm = fresh(5, is_calm=True)
    first, *others = calm.routers
    link, *links = calm.links
    hostile = replace(
        calm,
        trouble=HOSTILE,
        version=HOSTILE,
        routers=(replace(first, trouble=f"rejected entries ({HOSTILE}): {HOSTILE}", note=HOSTILE), *others),
        links=(replace(link, state="down", trouble=HOSTILE, note=HOSTILE), *links),
    )
    publish(server, hostile)
    with opened(browser, server.url) as (page, seen):
        page.locator(f"#map [data-router={first.name}] .dot").click()
        expect(page.locator("#detail")).to_contain_text(HOSTILE_SHOWN)
        expect(page.locator("#wrong")).to_contain_text(HOSTILE_SHOWN)
        expect(page.locator("#banners")).to_contain_text(HOSTILE_SHOWN)
        expect(page.locator("#versions")).to_contain_text(HOSTILE_SHOWN)
        expect(row(page, first.name)).to_contain_text(HOSTILE_SHOWN)
        line = say(phrases.ENDPOINT_CHANGED, router=first.name, endpoint=HOSTILE, was=HOSTILE)
        server.publish_line(line, time.time())
        expect(page.locator("#moves")).to_contain_text(HOSTILE_SHOWN)
        page.get_by_role("tab", name="Links").click()
        expect(page.locator("#rows")).to_contain_text(HOSTILE_SHOWN)
        screenshot(page, "hostile")
        assert page.locator("script").count() == 1
        assert page.locator("img").count() == 1, "the page's own"
    assert seen.complaints == [], "no script ran, and no policy had to stop one"


def test_name_that_is_markup_stays_text_everywhere(server: WebServer, browser: Browser) -> None:
    """The hub's configuration allows no such name; the page does not rely on that."""
    calm = fresh(3, is_calm=True)
    name = "<b onmouseover=hacked()>x</b>"
    routers = tuple(replace(line, name=name) if line.name == "berlin" else line for line in calm.routers)
    renamed = {"berlin": name}
    links = tuple(
        replace(line, first=renamed.get(line.first, line.first), second=renamed.get(line.second, line.second))
        for line in calm.links
    )
    publish(server, replace(calm, routers=routers, links=links))
    with opened(browser, server.url) as (page, seen):
        row(page, name).get_by_role("button").click()
        expect(page.locator("#detail h3")).to_have_text(name)
        expect(page.locator("#map .selected")).to_have_count(1)
        assert page.locator("b").count() == 5, "the counts of the legend"
    assert seen.complaints == []


def test_page_is_used_by_keyboard_alone(server: WebServer, browser: Browser, screenshot: Keep) -> None:
    publish(server, fresh(5, is_calm=True))
    with opened(browser, server.url) as (page, _):
        expect(page.locator("#map [data-router]")).to_have_count(5)

        def focused() -> str:
            found: str = page.evaluate("document.activeElement.dataset.router ?? document.activeElement.id")
            return found

        stops = []
        while (stop := focused()) != "amsterdam":
            page.keyboard.press("Tab")
            stops.append(stop)
            assert len(stops) < 20, stops
        page.keyboard.press("ArrowRight")
        assert focused() == "berlin"
        page.keyboard.press("End")
        assert focused() == "essen"
        page.keyboard.press("ArrowRight")
        assert focused() == "amsterdam"
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.locator("#detail h3")).to_have_text("berlin")
        expect(page.locator("#map [aria-pressed=true]")).to_have_attribute(
            "aria-label", re.compile("^berlin: works, 4 of 4")
        )
        screenshot(page, "keyboard")
        page.keyboard.press("Escape")
        expect(page.locator("#detail")).to_be_hidden()
        assert focused() == "berlin"
        page.get_by_role("tab", name="Routers").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Links")).to_be_focused()
        expect(page.get_by_role("tab", name="Links")).to_have_attribute("aria-selected", "true")
        page.locator(".skip").focus()
        page.keyboard.press("Enter")
        assert focused() == "tables"


def test_every_control_has_a_name_and_every_table_its_headers(server: WebServer, browser: Browser) -> None:
    publish(server, fresh(5))
    with opened(browser, server.url) as (page, _):
        expect(page.locator("#rows tr")).to_have_count(5)
        for role in ("button", "tab", "searchbox", "combobox", "link"):
            controls = page.get_by_role(role)
            named = page.get_by_role(role, name=re.compile(r"\S"))
            assert controls.count() == named.count() > 0, role
        assert page.get_by_role("columnheader").count() == 8
        assert page.get_by_role("rowheader").count() == 5
        assert page.get_by_role("heading").all_inner_texts() == ["hub1 wgmqtt", "Mesh", "Needs attention", "Last moves"]
        assert page.locator("html").get_attribute("lang") == "en"


def test_table_of_2000_is_searched_sorted_and_filtered(server: WebServer, browser: Browser) -> None:
    status = publish(server, fresh(2000))
    with opened(browser, server.url) as (page, _):
        expect(page.locator("#shown")).to_have_text("100 of 2,000 routers")
        page.get_by_role("button", name="Show 100 more").click()
        expect(page.locator("#rows tr")).to_have_count(200)
        page.get_by_role("searchbox", name="Search").fill("berlin-1")
        names = sorted(line.name for line in status.routers if "berlin-1" in line.name)
        expect(page.locator("#rows tr")).to_have_count(len(names))
        expect(page.locator("#rows tr").nth(1)).to_contain_text("berlin-10")
        page.get_by_role("button", name="Router", exact=True).click()
        expect(page.get_by_role("columnheader", name="Router")).to_have_attribute("aria-sort", "descending")
        expect(page.locator("#rows tr").last).to_contain_text("berlin-1")
        page.get_by_role("searchbox", name="Search").fill("")
        page.get_by_role("combobox", name="Show").select_option("silent")
        silent = sum("no handshake" in line.trouble for line in status.routers)
        expect(page.locator("#shown")).to_have_text(f"{silent} routers of 2,000")
        page.get_by_role("button", name=re.compile("^trying")).click()
        trying = sum(line.state == "trying" for line in status.links)
        expect(page.locator("#shown")).to_have_text(re.compile(f"{trying} links of"))


def test_move_is_shown_stage_by_stage_as_it_happens(server: WebServer, browser: Browser, screenshot: Keep) -> None:
    publish(server, fresh(3, is_calm=True))
    with opened(browser, server.url) as (page, seen):
        expect(page.locator("#map [data-router]")).to_have_count(3)
        now_s = time.time()
        changed = say(phrases.ENDPOINT_CHANGED, router="berlin", endpoint="203.0.113.99:9", was="203.0.113.98:8")
        server.publish_line(changed, now_s)
        latest = page.locator("#moves > li").first
        expect(latest).to_contain_text("203.0.113.98:8 → 203.0.113.99:9")
        stages = latest.locator(".stage")
        expect(stages).to_have_text(["0 msdetected", "…published", "…applied", "…direct"])
        for router in ("amsterdam", "cologne"):
            server.publish_line(say(phrases.TABLE_PUBLISHED, router=router, seq=7, bytes=9), now_s + 0.001)
        expect(stages.nth(1)).to_have_text("1 mspublished 2/2")
        server.publish_line(
            say(phrases.TABLE_APPLIED, router="amsterdam", seq=7, ms=1, did="", error="none"), now_s + 0.02
        )
        expect(stages.nth(2)).to_have_text("20 msapplied 1/2")
        server.publish_line(say(phrases.DIRECT, router="amsterdam", peer="berlin", ms=59, tries=1), now_s + 0.06)
        expect(stages.nth(3)).to_have_text("60 msdirect 1/2")
        screenshot(page, "move")
    assert sum(url.endswith("/events") for url in seen.requests) == 1
    assert sum(url == server.url for url in seen.requests) == 1, "it was not loaded again"


def test_update_keeps_focus_and_selection(server: WebServer, browser: Browser) -> None:
    publish(server, fresh(5, is_calm=True))
    with opened(browser, server.url) as (page, _):
        page.locator("#map [data-router=berlin] .dot").click()
        row(page, "cologne").get_by_role("button").focus()
        publish(server, fresh(5))
        expect(page.locator("#headline")).to_contain_text("in trouble")
        expect(row(page, "cologne").get_by_role("button")).to_be_focused()
        expect(page.locator("#detail h3")).to_have_text("berlin")


def test_page_says_what_is_away_and_that_it_is_back(tmp_path: Path, browser: Browser, screenshot: Keep) -> None:
    with running_web(tmp_path) as server, opened(browser, server.url) as (page, _):
        expect(page.locator("#headline")).to_have_text("Nothing was published by the hub yet.")
        calm = publish(server, fresh(5, is_calm=True))
        expect(page.locator("#headline")).to_contain_text("links are direct")
        expect(page.locator("#banners")).to_be_empty()
        server.publish(replace(calm, is_frozen=True, hints="unavailable"), is_online=False)
        banners = page.locator("#banners")
        expect(banners).to_contain_text("The hub's daemon is not running.")
        expect(banners).to_contain_text("Publishing is frozen")
        expect(banners).to_contain_text("The kernel's hints are unavailable")
        publish(server, calm)
        expect(banners).to_be_empty()
        server.broker.stop()
        expect(banners).to_contain_text(
            re.compile("^No connection to the broker since .*: .+ Everything below is as it was")
        )
        expect(page.locator("#map [data-router]")).to_have_count(5)
        screenshot(page, "no-broker")
        server.broker.start()
        server.wait_for_line("status page connected to the broker", 2)
        publish(server, calm)
        expect(banners).to_be_empty()
        assert server.stop() == 0
        expect(banners).to_contain_text("This page lost its connection to wgmqtt web.")
        server.start()
        expect(banners).to_be_empty()
        expect(page.locator("#headline")).to_contain_text("links are direct")
