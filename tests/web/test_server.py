"""`wgmqtt web` as a process: what it answers, to whom, and what it logs when broker or address go and come."""

import contextlib
import gzip
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.testbed.loopback_broker import free_port
from lab.testbed.sample_mesh import make_mesh
from lab.testbed.web_server import WebServer, running_web
from wgmqtt import phrases
from wgmqtt.logline import say
from wgmqtt.web.server import FILES, MAX_PAGES

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0  # only a hang should end a wait


class Stream:
    """An open stream of server-sent events."""

    def __init__(self, server: WebServer) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
        self._connection.request("GET", "/events")
        self.answer = self._connection.getresponse()

    def event(self, name: str) -> str:
        """Return the data of the next event of this name."""
        while line := self.answer.readline():
            if line == f"event: {name}\n".encode():
                return self.answer.readline().decode().removeprefix("data: ").strip()
        raise EOFError("the stream ended")

    def ends(self) -> bool:
        """Read to the end, and return True there."""
        with contextlib.suppress(http.client.IncompleteRead, ConnectionError):
            self.answer.read()
        return True

    def close(self) -> None:
        """Close it."""
        self._connection.close()


@pytest.fixture
def stream(server: WebServer) -> Iterator[Stream]:
    """Give a stream that has got its first event."""
    made = Stream(server)
    made.event("status")
    yield made
    made.close()


def move(server: WebServer, router: str) -> None:
    """Publish the line of a move."""
    line = say(phrases.ENDPOINT_CHANGED, router=router, endpoint="203.0.113.9:9", was="203.0.113.8:8")
    server.publish_line(line, time.time())


@pytest.mark.parametrize("path", [*FILES, "/status.json", "/metrics"])
def test_every_answer_forbids_foreign_content_and_framing(server: WebServer, path: str) -> None:
    status, headers, body = server.get(path)
    assert (status, bool(body)) == (200, True)
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["server"] == "wgmqtt"
    assert "access-control-allow-origin" not in headers


def test_page_names_no_other_machine_and_has_no_inline_script_or_style(server: WebServer) -> None:
    page = server.get("/")[2].decode()
    assert "http:" not in page.replace("http-equiv", "")
    assert "https:" not in page
    assert "//" not in page
    assert "style=" not in page
    assert "onclick" not in page
    assert page.count("<script") == page.count('<script src="app.js" defer></script>') == 1
    script = server.get("/app.js")[2].decode()
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert forbidden not in script


@pytest.mark.parametrize("path", ["/nothing", "/static/app.js", "/..%2f..%2fetc/passwd", "//etc/passwd", "/app.js/"])
def test_other_paths_are_not_found(server: WebServer, path: str) -> None:
    assert server.get(path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_not_allowed(server: WebServer, method: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.request(method, "/status.json", body=b"x" * 100)
    assert connection.getresponse().status == 405
    connection.close()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8080", 200),
        ("10.99.0.1", 200),
        ("[2001:db8::1]:8080", 200),
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("status.example.net", 200),
        ("status.example.net.:8080", 200),
        ("evil.example.net", 421),
        ("127.0.0.1.evil.example.net", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_only_addresses_and_configured_names_are_answered(server: WebServer, host: str, expected: int) -> None:
    """Otherwise a web site could point its own name at this address, and read the page in the visitor's browser."""
    assert server.get("/status.json", {"Host": host})[0] == expected


def test_status_is_compressed_for_who_takes_it_and_plain_for_others(server: WebServer) -> None:
    server.publish(make_mesh(50, time.time()))
    deadline = time.monotonic() + PATIENCE_S
    while len(json.loads(server.get("/status.json")[2]).get("routers", ())) != 50:
        assert time.monotonic() < deadline
    _, headers, packed = server.get("/status.json", {"Accept-Encoding": "gzip, br"})
    assert headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed)) == json.loads(server.get("/status.json")[2])


def test_metrics_have_prometheus_type(server: WebServer) -> None:
    status, headers, body = server.get("/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"\nwgmqtt_broker_connected 1.0\n" in body
    assert b"\nprocess_resident_memory_bytes " in body


def test_move_is_sent_to_an_open_page_as_it_happens(server: WebServer, stream: Stream) -> None:
    move(server, "berlin")
    while (got := json.loads(stream.event("move")))["router"] != "berlin":
        pass
    assert got["endpoint"] == "203.0.113.9:9"


def test_page_that_does_not_read_harms_no_other(server: WebServer, stream: Stream) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for number in range(300):
            move(server, f"r{number}")
        move(server, "the-last")
        while json.loads(stream.event("move"))["router"] != "the-last":
            pass
        assert server.get("/status.json")[0] == 200


def test_number_of_open_pages_is_bounded(server: WebServer) -> None:
    request = b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with contextlib.ExitStack() as opened:
        answers = list[bytes]()
        while not answers or answers[-1].startswith(b"HTTP/1.1 200"):
            page = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S))
            page.sendall(request)
            answers.append(page.recv(16))
        assert answers[-1].startswith(b"HTTP/1.1 503")
        # Pages of tests before may still be on their way out.
        assert MAX_PAGES - 10 < len(answers) <= MAX_PAGES + 1
        assert server.get("/")[0] == 200
    deadline = time.monotonic() + PATIENCE_S
    while True:  # the places of those who left are free again
        last = Stream(server)
        last.close()
        if last.answer.status == 200:
            break
        assert time.monotonic() < deadline


def test_broker_that_goes_and_comes_is_logged_once_each_and_shown(tmp_path: Path) -> None:
    with running_web(tmp_path) as server:
        server.publish(make_mesh(5, time.time()))
        server.broker.stop()
        server.wait_for_line("status page has no connection to the broker")
        time.sleep(3.0)  # several attempts
        shown = json.loads(server.get("/status.json")[2])
        assert shown["broker"]["connected"] is False
        assert shown["broker"]["reason"]
        assert len(shown["routers"]) == 5
        assert b"\nwgmqtt_broker_connected 0.0\n" in server.get("/metrics")[2]
        server.broker.start()
        server.wait_for_line("status page connected to the broker", 2)
        assert json.loads(server.get("/status.json")[2])["broker"]["connected"] is True
        stream = Stream(server)
        stream.event("status")
        assert server.stop() == 0
        assert stream.ends()
        words = [line.split(" hub=")[0].split(" url=")[0].split(" reason=")[0] for line in server.lines()]
        assert sorted(words[:2]) == ["status page connected to the broker", "status page ready"]
        assert words[2:] == [
            "status page has no connection to the broker",
            "status page connected to the broker",
            "status page stopped",
        ]


def test_broker_that_is_not_there_at_the_start_is_logged_once_and_the_page_is_served(tmp_path: Path) -> None:
    server = WebServer(tmp_path)
    try:
        server.broker.stop()
        with pytest.raises(TimeoutError):
            server.start(patience_s=1.0)
        server.wait_for_line("status page has no connection to the broker")
        server.wait_for_line("status page ready")
        time.sleep(2.0)  # several attempts
        lines = [line for line in server.lines() if "no connection" in line]
        assert lines == ['status page has no connection to the broker reason="Connection refused"']
        assert json.loads(server.get("/status.json")[2])["known"] is False
    finally:
        server.close()


def test_address_that_is_taken_is_logged_once_and_used_as_soon_as_it_is_free(tmp_path: Path) -> None:
    server = WebServer(tmp_path)
    try:
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", server.port))
            other.listen()
            with pytest.raises(TimeoutError):
                server.start(patience_s=1.0)
            server.wait_for_line("status page cannot listen")
            time.sleep(3.0)  # at least one more attempt
        server.wait_for_line("status page ready")
        assert len([line for line in server.lines() if line.startswith("status page cannot listen")]) == 1
    finally:
        server.close()


def test_without_the_extra_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['aiohttp'] = None; from wgmqtt.cli.main import main; sys.exit(main(['web']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (1, "")
    hint = "in the clone: /opt/wgmqtt/bin/pip install '.[web]'"
    assert done.stderr == f"wgmqtt: web: the Python package aiohttp is missing ({hint})\n"


def test_public_address_is_said_in_the_log(tmp_path: Path) -> None:
    port = free_port()
    settings = {"web": {"listen": f"0.0.0.0:{port}", "allow_public": True}}
    with running_web(tmp_path, settings) as server:
        assert f"status page is reachable from everywhere listen=0.0.0.0:{port}" in server.lines()
