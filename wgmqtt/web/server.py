"""The HTTP server: the page, its data, its events, the metrics. Edge: aiohttp."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from importlib import resources
from ipaddress import ip_address

from aiohttp import web

from wgmqtt.web.mesh import Change, Mesh
from wgmqtt.web.metrics import Metrics
from wgmqtt.web.snapshot import encode_move, encode_snapshot
from wgmqtt.web.stream import Backlog, render_event

FILES = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/app.css": ("app.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
MAX_PAGES = 200
HEARTBEAT_S = 15.0
SLOW_S = 30.0

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "wgmqtt",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """All pages that are open, and what they are shown."""

    def __init__(self, mesh: Mesh, names: tuple[str, ...] = ()) -> None:
        self._mesh = mesh
        self._metrics = Metrics(mesh)
        self._names = {"localhost", *(name.lower() for name in names)}
        self._pages: set[Backlog] = set()
        self._snapshot: tuple[int, int, bytes] | None = None
        folder = resources.files("wgmqtt.web") / "static"
        self._files = {path: ((folder / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}

    def application(self) -> web.Application:
        """Return the application that a runner serves."""
        made = web.Application(middlewares=[self._check_host], client_max_size=1024)
        for path in FILES:
            made.router.add_get(path, self._file)
        made.router.add_get("/status.json", self._status)
        made.router.add_get("/events", self._events)
        made.router.add_get("/metrics", self._metrics_text)
        made.on_response_prepare.append(_add_headers)
        return made

    def show(self, change: Change) -> None:
        """Send what changed to every open page."""
        self._metrics.observe(change.observations)
        for move in change.moves:
            message = render_event("move", encode_move(move))
            for page in self._pages:
                page.put(f"move {move.number}", message)
        if change.is_status:
            for page in self._pages:
                page.put("status", self._status_event())

    def close(self) -> None:
        """Let every open page's stream end."""
        for page in self._pages:
            page.close()

    def _status_event(self) -> bytes:
        return render_event("status", str(self._mesh.revision).encode("ascii"))

    @web.middleware
    async def _check_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Reject names that are not ours, or any web site could read this page by pointing its own name here."""
        if not _is_address(host := _host_of(request)) and host not in self._names:
            raise web.HTTPMisdirectedRequest(text="unknown host name: add it to web.names in the configuration\n")
        return await handler(request)

    async def _file(self, request: web.Request) -> web.Response:
        content, kind = self._files[request.path]
        return web.Response(body=content, content_type=kind, charset="utf-8")

    async def _status(self, request: web.Request) -> web.Response:
        # A move changes the answer, but not the revision.
        version = (self._mesh.revision, self._mesh.moves.changes)
        if self._snapshot is None or self._snapshot[:2] != version:
            self._snapshot = (*version, gzip.compress(encode_snapshot(self._mesh), 5, mtime=0))
        return _compressed(request, self._snapshot[2], "application/json")

    async def _metrics_text(self, request: web.Request) -> web.Response:
        text = gzip.compress(self._metrics.render(), 1, mtime=0)
        response = _compressed(request, text, "text/plain")
        response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if len(self._pages) >= MAX_PAGES:
            raise web.HTTPServiceUnavailable(text="too many pages are open\n", headers={"Retry-After": "60"})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        page = Backlog()
        self._pages.add(page)
        try:
            await response.prepare(request)
            page.put("status", self._status_event())
            for move in self._mesh.moves.recent:
                page.put(f"move {move.number}", render_event("move", encode_move(move)))
            while not page.is_closed:
                message = await page.take(HEARTBEAT_S)
                async with asyncio.timeout(SLOW_S):
                    await response.write(message)
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._pages.discard(page)
        return response


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _compressed(request: web.Request, body: bytes, kind: str) -> web.Response:
    """Return a response with a gzip body, or the same unpacked for who does not take gzip."""
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(
            body=body, content_type=kind, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        )
    return web.Response(body=gzip.decompress(body), content_type=kind, headers={"Vary": "Accept-Encoding"})


def _host_of(request: web.Request) -> str:
    """Return the host that the request names, in lower case, without its port."""
    host = request.headers.get("Host", "").lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
