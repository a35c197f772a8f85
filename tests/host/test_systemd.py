"""What systemd hears of the daemon, by a socket of the test's own; the unit file, judged by systemd's own programs."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from wgmqtt.host import systemd

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "systemd" / "wgmqtt.service"
MAX_EXPOSURE = 20  # tenths; systemd's own scale ends at 100, which is no sandbox at all
HEARD_S = 10.0
WATCHDOG_S = 0.2

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")


@pytest.fixture(params=["plain", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """Give a socket as systemd makes it, and the value of NOTIFY_SOCKET for it."""
    path = str(tmp_path / "notify") if request.param == "plain" else f"@wgmqtt-test-{os.getpid()}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as made:
        made.settimeout(HEARD_S)
        made.bind("\0" + path[1:] if path.startswith("@") else path)
        yield path, made


def test_notify_arrives_on_a_plain_and_on_an_abstract_socket(
    listener: tuple[str, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, heard = listener
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    systemd.notify("RELOADING=1", "MONOTONIC_USEC=5")
    assert heard.recv(1000) == b"RELOADING=1\nMONOTONIC_USEC=5"


def test_notify_without_systemd_or_with_a_socket_that_is_gone_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "expected_s"),
    [("30000000", None, 15.0), ("30000000", "own", 15.0), ("30000000", "1", None), ("", None, None)],
)
def test_watchdog_is_fed_at_half_of_its_time_by_the_process_that_is_meant(
    usec: str, pid: str | None, expected_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "own" else pid)
    assert systemd.watchdog_s() == expected_s


@contextmanager
def running_daemon(folder: Path, notify: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give a daemon whose broker and interface are not there, started as systemd does it."""
    secret = folder / "hub.password"
    secret.write_text("secret\n")
    secret.chmod(0o600)
    text = (ROOT / "config.example.yaml").read_text()
    text = text.replace("/etc/wgmqtt/secrets/hub.password", str(secret)).replace("[wg0]", "[wgmqtt-none0]")
    text = re.sub("host: 10.99.0.1 .*", "host: 127.0.0.1\n  for_routers: {host: 10.99.0.1}", text)
    config = folder / "config.yaml"
    config.write_text(text.replace("port: 1883\n", "port: 9\n"))  # discard: nobody listens
    environment = {"NOTIFY_SOCKET": notify, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)), "JOURNAL_STREAM": "1:2"}
    command = [sys.executable, "-m", "wgmqtt", "run", "-c", str(config)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)  # noqa: S603 - this interpreter
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def hear(listener: socket.socket, wanted: str) -> str:
    """Return the next message that begins so; watchdog messages in between are passed over."""
    deadline = time.monotonic() + HEARD_S
    while time.monotonic() < deadline:
        message = listener.recv(1000).decode()
        if message.startswith(wanted):
            return message
        assert message == "WATCHDOG=1", f"{message!r} instead of {wanted!r}"
    raise TimeoutError(wanted)


def test_daemon_says_ready_alive_reloading_and_stopping_though_neither_broker_nor_interface_is_there(
    listener: tuple[str, socket.socket], tmp_path: Path
) -> None:
    path, heard = listener
    with running_daemon(tmp_path, path) as process:
        hear(heard, "READY=1")
        begun_s = time.monotonic()
        for _ in range(4):
            hear(heard, "WATCHDOG=1")
        assert time.monotonic() - begun_s < 4 * WATCHDOG_S, "sooner than systemd's patience ends"
        process.send_signal(signal.SIGHUP)
        usec = int(hear(heard, "RELOADING=1").partition("\nMONOTONIC_USEC=")[2])
        assert abs(time.monotonic_ns() / 1000 - usec) < HEARD_S * 1e6
        hear(heard, "READY=1")
        process.terminate()
        hear(heard, "STOPPING=1")
        assert process.wait(HEARD_S) == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0].startswith("<6>started hub=hub1"), "the journal adds the time, and reads the priority"
    assert [line for line in lines if line.startswith("<4>broker unreachable")]
    assert lines[-1] == "<6>stopped"


def installed_unit(folder: Path) -> Path:
    """Return the unit as installed, but for the program, which is not there."""
    unit = folder / UNIT.name
    text = UNIT.read_text()
    assert text.count("/opt/wgmqtt/bin/wgmqtt") == 1
    unit.write_text(text.replace("/opt/wgmqtt/bin/wgmqtt", "/bin/true"))
    return unit


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return what systemd-analyze says."""
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - systemd's own program


@needs_systemd
def test_unit_file_is_right_to_systemd(tmp_path: Path) -> None:
    done = analyze("verify", "--man=no", str(installed_unit(tmp_path)))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_unit_file_leaves_little_exposed(tmp_path: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MAX_EXPOSURE}", str(installed_unit(tmp_path)))
    assert done.returncode == 0, done.stdout


def test_unit_file_feeds_what_the_daemon_expects() -> None:
    lines = UNIT.read_text().splitlines()
    for line in ("Type=notify", "WatchdogSec=30s", "ExecReload=/bin/kill -HUP $MAINPID"):
        assert line in lines
    refused = next(line for line in lines if line.startswith("RestartPreventExitStatus="))
    assert refused.partition("=")[2].split() == ["2", "78"], "a mistake in arguments or configuration is no crash"
