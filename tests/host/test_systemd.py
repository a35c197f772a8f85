"""What the daemon notifies systemd of, on a socket of the test; the unit files, checked by systemd's programs."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.host.daemon_process import WATCHDOG_S, running_daemon, write_config
from wgmqtt.host import systemd

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "systemd" / "wgmqtt.service"
WEB_UNIT = UNIT.with_name("wgmqtt-web.service")
DROP_IN = UNIT.with_name("mosquitto-wgmqtt.conf")
MOSQUITTO = "[Service]\nType=notify\nExecStart=/bin/true\n"  # Debian's, as far as the drop-in changes it
MAX_EXPOSURE = 20  # tenths on systemd's scale, where 100 means no sandbox
MAX_WEB_EXPOSURE = 15
PATIENCE_S = 60.0  # only a hang should end a wait

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")


@pytest.fixture(params=["plain", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """Give a socket like systemd's, and the value of NOTIFY_SOCKET for it."""
    path = str(tmp_path / "notify") if request.param == "plain" else f"@wgmqtt-test-{os.getpid()}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as made:
        made.settimeout(PATIENCE_S)
        made.bind("\0" + path[1:] if path.startswith("@") else path)
        yield path, made


def test_notify_arrives_on_a_plain_and_on_an_abstract_socket(
    listener: tuple[str, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, heard = listener
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    systemd.notify("RELOADING=1", "MONOTONIC_USEC=5")
    assert heard.recv(1000) == b"RELOADING=1\nMONOTONIC_USEC=5"


def test_notify_without_systemd_or_its_socket_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "expected_s"),
    [("30000000", None, 15.0), ("30000000", "own", 15.0), ("30000000", "1", None), ("", None, None)],
)
def test_watchdog_is_notified_at_half_its_timeout_by_the_right_process(
    usec: str, pid: str | None, expected_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "own" else pid)
    assert systemd.watchdog_s() == expected_s


def expect(listener: socket.socket, wanted: str) -> str:
    """Return the next message that starts with `wanted`; only watchdog messages may come before it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        message = listener.recv(1000).decode()
        if message.startswith(wanted):
            return message
        assert message == "WATCHDOG=1", f"{message!r} instead of {wanted!r}"
    raise TimeoutError(wanted)


def test_daemon_without_broker_and_interface_notifies_ready_watchdog_reloading_and_stopping(
    listener: tuple[str, socket.socket], tmp_path: Path
) -> None:
    path, heard = listener
    with running_daemon(write_config(tmp_path), path) as process:
        expect(heard, "READY=1")
        begun_s = time.monotonic()
        for _ in range(3):
            expect(heard, "WATCHDOG=1")
        assert time.monotonic() - begun_s < 3 * WATCHDOG_S, "each before systemd's timeout"
        process.send_signal(signal.SIGHUP)
        usec = int(expect(heard, "RELOADING=1").partition("\nMONOTONIC_USEC=")[2])
        assert abs(time.monotonic_ns() / 1000 - usec) < PATIENCE_S * 1e6
        expect(heard, "READY=1")
        process.terminate()
        expect(heard, "STOPPING=1")
        assert process.wait(PATIENCE_S) == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0].startswith("<6>started hub=hub1"), "the journal adds the time and reads the priority"
    assert [line for line in lines if line.startswith("<4>broker unreachable")]
    assert lines[-1] == "<6>stopped"


def installed_unit(folder: Path, source: Path = UNIT) -> Path:
    """Return the unit file as installed, with another program in place of wgmqtt."""
    unit = folder / source.name
    text = source.read_text()
    assert text.count("/opt/wgmqtt/bin/wgmqtt") == 1
    unit.write_text(text.replace("/opt/wgmqtt/bin/wgmqtt", "/bin/true"))
    return unit


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - systemd's program


@needs_systemd
@pytest.mark.parametrize("source", [UNIT, WEB_UNIT], ids=lambda path: path.stem)
def test_unit_file_is_valid(tmp_path: Path, source: Path) -> None:
    done = analyze("verify", "--man=no", str(installed_unit(tmp_path, source)))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_drop_in_for_mosquitto_is_valid_and_takes_effect(tmp_path: Path) -> None:
    (tmp_path / "mosquitto.service").write_text(MOSQUITTO)
    folder = tmp_path / "mosquitto.service.d"
    folder.mkdir()
    shutil.copy(DROP_IN, folder / "wgmqtt.conf")
    done = analyze("verify", "--man=no", str(tmp_path / "mosquitto.service"))
    assert (done.returncode, done.stderr) == (0, "")
    with (folder / "wgmqtt.conf").open("a") as file:
        file.write("LimitNOFILE=a lot\n")
    done = analyze("verify", "--man=no", str(tmp_path / "mosquitto.service"))
    assert "wgmqtt.conf" in done.stderr, "systemd has not read the drop-in"


@needs_systemd
@pytest.mark.parametrize(("source", "highest"), [(UNIT, MAX_EXPOSURE), (WEB_UNIT, MAX_WEB_EXPOSURE)], ids=str)
def test_unit_file_has_a_low_exposure_score(tmp_path: Path, source: Path, highest: int) -> None:
    done = analyze("security", "--offline=true", f"--threshold={highest}", str(installed_unit(tmp_path, source)))
    assert done.returncode == 0, done.stdout


def test_unit_file_has_what_the_daemon_relies_on() -> None:
    lines = UNIT.read_text().splitlines()
    for line in ("Type=notify", "WatchdogSec=30s", "ExecReload=/bin/kill -HUP $MAINPID"):
        assert line in lines
    refused = next(line for line in lines if line.startswith("RestartPreventExitStatus="))
    assert refused.partition("=")[2].split() == ["2", "78"], "wrong arguments or configuration are no crash"


def test_unit_file_of_the_status_page_gives_no_capability_and_one_secret() -> None:
    lines = WEB_UNIT.read_text().splitlines()
    for line in ("Type=notify", "DynamicUser=yes", "CapabilityBoundingSet=", "AmbientCapabilities="):
        assert line in lines
    secrets = [line for line in lines if line.startswith("LoadCredential=")]
    assert secrets == ["LoadCredential=web.password:/etc/wgmqtt/secrets/web.password"]
