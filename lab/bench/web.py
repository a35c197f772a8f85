"""`web`: the status page with 5 to 2,000 routers: how soon Chromium shows it, and what browser and server need.

The server, a real mosquitto and Chromium run on this machine; the benchmark publishes what a hub would.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, ViewportSize

from lab.bench.figures import OURS, Figure, Result, Series
from lab.testbed.browser import running_browser
from lab.testbed.process_cost import cpu_s, memory_mib
from lab.testbed.sample_mesh import make_mesh
from lab.testbed.web_server import WebServer, running_web
from wgmqtt import phrases
from wgmqtt.logline import say

NAME = "web"
SIZES, QUICK_SIZES = (5, 200, 2_000), (2_000,)
LOADS, QUICK_LOADS = 15, 3
MOVES, QUICK_MOVES = 100, 10
REST_S, QUICK_REST_S = 15.0, 3.0
MIB = 1 << 20
SIZE = ViewportSize(width=1440, height=1000)
READY = """() => new Promise((done) => {
  const look = () => {
    const isThere = document.querySelector("#map [data-router]") && document.querySelector("#rows tr");
    if (isThere) requestAnimationFrame(() => done(performance.now())); else requestAnimationFrame(look);
  };
  look();
})"""
FIRST_PAINT = """() => new Promise((done) => {
  new PerformanceObserver((list) => list.getEntriesByName("first-contentful-paint").forEach((e) => done(e.startTime)))
    .observe({ type: "paint", buffered: true });
})"""
WATCH = """() => {
  window.seen = {};
  new MutationObserver(() => {
    const where = document.querySelector("#moves > li .where")?.textContent;
    if (where) window.seen[where] ??= Date.now();
  }).observe(document.querySelector("#moves"), { childList: true, subtree: true });
}"""


def run(*, quick: bool) -> Result:
    """Measure each size; `quick` the largest one, with few samples."""
    figures = list[Figure]()
    with running_browser() as browser:
        for size in QUICK_SIZES if quick else SIZES:
            with tempfile.TemporaryDirectory() as directory:
                figures += _measure(browser, Path(directory), size, quick=quick)
    return Result(figures, [])


def _measure(browser: Browser, directory: Path, size: int, *, quick: bool) -> list[Figure]:
    status = make_mesh(size, time.time())
    names = [line.name for line in status.routers]
    found = list[Figure]()

    def add(metric: str, unit: str, samples: list[float]) -> None:
        found.append(Series(NAME, OURS, size, metric, unit, samples).figure())

    with running_web(directory, routers=names) as server:
        server.publish(status)
        pid = server.pid
        _wait_for_status(server)
        loads = [_load(browser, server) for _ in range(QUICK_LOADS if quick else LOADS)]
        add("first_paint", "ms", [first for first, _, _ in loads])
        add("page_complete", "ms", [complete for _, complete, _ in loads])
        add("tab_heap", "MiB", [heap for _, _, heap in loads])
        add("line_to_page", "ms", _moves(browser, server, QUICK_MOVES if quick else MOVES))
        used_s, begun_s = cpu_s(pid), time.monotonic()
        time.sleep(QUICK_REST_S if quick else REST_S)
        add("cpu_at_rest", "% of a core", [(cpu_s(pid) - used_s) / (time.monotonic() - begun_s) * 100])
        add("scrape", "ms", [_timed(lambda: server.get("/metrics")) for _ in range(10)])
        add("rss", "MiB", [memory_mib(pid)])
        add("rss_at_most", "MiB", [memory_mib(pid, "VmHWM")])
    return found


def _wait_for_status(server: WebServer) -> None:
    while b'wgmqtt_routers{state="ok"}' not in server.get("/metrics")[2]:
        time.sleep(0.05)


def _timed(action: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    action()
    return (time.perf_counter() - began_s) * 1000


def _load(browser: Browser, server: WebServer) -> tuple[float, float, float]:
    """Load the page without a cache; return ms to the first paint, ms to the drawn map and table, MiB of heap."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(server.url, wait_until="commit")
    complete_ms: float = page.evaluate(READY)
    first_ms: float = page.evaluate(FIRST_PAINT)
    heap = _heap_mib(session)
    context.close()
    return first_ms, complete_ms, heap


def _heap_mib(session: CDPSession) -> float:
    session.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"]) / MIB


def _moves(browser: Browser, server: WebServer, count: int) -> list[float]:
    """Return for each line of a move the ms from just before it was published until the open page shows it."""
    page = browser.new_page(viewport=SIZE)
    page.goto(server.url)
    page.locator("#rows tr").first.wait_for()
    page.evaluate(WATCH)
    latencies = [_move(page, server, number) for number in range(count)]
    page.close()
    return latencies


def _move(page: Page, server: WebServer, number: int) -> float:
    endpoint = f"203.0.113.{number % 250 + 1}:{20_000 + number}"
    at_s = time.time()
    line = say(phrases.ENDPOINT_CHANGED, router="amsterdam", endpoint=endpoint, was="203.0.113.254:1")
    server.publish_line(line, at_s)
    page.locator("#moves > li").filter(has_text=endpoint).wait_for()
    seen: dict[str, float] = page.evaluate("() => window.seen")
    return next(when for where, when in seen.items() if endpoint in where) - at_s * 1000
