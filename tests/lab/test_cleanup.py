"""However a lab ends, it leaves no namespace, process or file behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.network.netns import PROJECT, namespaces_of, sweep
from lab.network.shell import run
from lab.testbed.events import PATIENCE_S
from lab.testbed.lab import Lab

pytestmark = pytest.mark.lab

# A program that was started in the background, or by nohup, ignores these signals; this one is in the foreground.
PROGRAM = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from lab.network.topology import Network
with Network() as network:
    print("built", flush=True)
    time.sleep(600)
"""


def processes_in(namespaces: list[str]) -> list[int]:
    """Return the processes inside the namespaces."""
    return [int(pid) for name in namespaces for pid in run("ip", "netns", "pids", name).split()]


def still_alive(pids: list[int]) -> list[int]:
    """Return the processes that have not ended after a while."""
    deadline = time.monotonic() + PATIENCE_S
    while (alive := [pid for pid in pids if Path(f"/proc/{pid}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def test_closed_lab_leaves_no_namespace_process_or_file() -> None:
    before = namespaces_of(os.getpid())
    with Lab() as lab:
        mine = [name for name in namespaces_of(os.getpid()) if name not in before]
        pids = processes_in(mine)
        directory = lab.directory.parent
        assert len(mine) == 6  # internet, hub, and a box and a site twice
        assert len(pids) > 10
    assert namespaces_of(os.getpid()) == before
    assert still_alive(pids) == []
    assert not directory.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=str)
def test_lab_that_a_signal_ends_leaves_no_namespace_or_process(number: signal.Signals) -> None:
    """After SIGKILL, the kernel ends the processes, and the next lab removes the namespaces."""
    with subprocess.Popen(  # noqa: S603 - the program above
        [sys.executable, "-c", PROGRAM], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == b"built\n"
        pids = processes_in(namespaces_of(program.pid))
        assert len(pids) > 6
        program.send_signal(number)
        status = program.wait(PATIENCE_S)
    assert status == -number
    assert still_alive(pids) == []
    if number == signal.SIGKILL:
        sweep()
    assert namespaces_of(program.pid) == []
