"""Network namespaces, each with a mount namespace; they are removed however the program ends."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self, TextIO

from lab.network.shell import CommandError, LabError, run
from wgmqtt.errors import Problem

PROJECT = Path(__file__).resolve().parents[2]
PREFIX = "wgm"
# The kernel kills a child when the thread that started it ends, for any reason: prctl(2), PR_SET_PDEATHSIG.
DIES_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
WIREGUARD_SOCKETS = "/var/run/wireguard"


class Namespace:
    """One machine of the lab: a network namespace, and a mount namespace with a separate /var/run/wireguard."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory / name
        self.sockets = self.directory / "wireguard"
        self._processes: list[subprocess.Popen[str]] = []
        self.sockets.mkdir(parents=True)
        self.directory.chmod(0o755)
        run("ip", "netns", "add", name)
        # `ip netns exec` creates the mount namespace, this process keeps it alive, and nsenter(1) joins it.
        hold = 'mount --bind "$0" "$1" && echo ready && exec sleep infinity'
        self._holder = subprocess.Popen(
            [*DIES_WITH_PARENT, "ip", "netns", "exec", name, "sh", "-c", hold, str(self.sockets), WIREGUARD_SOCKETS],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self._holder.stdout is not None
        with self._holder.stdout as answer:
            line = answer.readline()
        if line != "ready\n":
            self.delete()
            what = f"cannot mount its own {WIREGUARD_SOCKETS}: {line.strip()}"
            raise LabError(Problem(f"namespace {name}", what, hint="needs root, and / must be a mount point"))
        self.ip("link set lo up")

    def command(self, *argv: str) -> tuple[str, ...]:
        """Return the command that runs `argv` inside, in the project's directory."""
        enter = ("nsenter", "--target", str(self._holder.pid), "--net", "--mount", "--root")
        return (*enter, "env", "-C", str(PROJECT), *argv)

    def run(self, *argv: str, text_in: str = "", timeout_s: float = 120.0) -> str:
        """Run `argv` inside and return its standard output; raise CommandError if it fails."""
        return run(*self.command(*argv), text_in=text_in, timeout_s=timeout_s)

    def start(self, *argv: str, output: TextIO | None = None) -> subprocess.Popen[str]:
        """Start `argv` inside; `delete` kills it.

        Standard input is a pipe. Standard output and error go to one pipe, or to `output`.
        """
        process = subprocess.Popen(
            [*DIES_WITH_PARENT, *self.command(*argv)],
            stdin=subprocess.PIPE,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        self._processes = [each for each in self._processes if each.poll() is None] + [process]
        return process

    def ip(self, *lines: str) -> None:
        """Run commands of iproute2 inside, all in one process."""
        run("ip", "-n", self.name, "-batch", "-", text_in="\n".join(lines) + "\n")

    def sysctl(self, **values: int) -> None:
        """Set kernel parameters of this namespace; `__` in a name is a slash: net__ipv4__ip_forward=1."""
        writes = [f"echo {value} > /proc/sys/{name.replace('__', '/')}" for name, value in values.items()]
        self.run("sh", "-ec", "\n".join(writes))

    def delete(self) -> None:
        """Kill every process inside and remove the namespace; a second call does nothing."""
        for process in (*self._processes, self._holder):
            process.kill()
        for process in (*self._processes, self._holder):
            process.wait()
        delete_namespace(self.name)


class Rack:
    """All machines of one lab, with a directory for their files. As a context manager it leaves nothing behind."""

    def __init__(self) -> None:
        sweep()
        Path(WIREGUARD_SOCKETS).mkdir(exist_ok=True)
        self.directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        # Programs that give up root (mosquitto) need access to their files; secrets have stricter modes.
        self.directory.chmod(0o755)
        self.namespaces: list[Namespace] = []
        self._before: list[Callable[[], None]] = []
        _open_racks.append(self)
        _close_on_signals()

    def namespace(self, short_name: str) -> Namespace:
        """Create the namespace `wgm<pid>-<number>-<short_name>`."""
        number = self.directory.name.rsplit("-", 1)[-1]
        made = Namespace(f"{PREFIX}{os.getpid()}-{number}-{short_name}", self.directory)
        self.namespaces.append(made)
        return made

    def before_close(self, action: Callable[[], None]) -> None:
        """Call `action` before the namespaces are removed; the last one registered is called first."""
        self._before.append(action)

    def close(self) -> None:
        """Remove everything; a second call does nothing. A second Ctrl-C does not interrupt it."""
        with _ignore_interrupts():
            if self in _open_racks:
                _open_racks.remove(self)
            while self._before:
                self._before.pop()()
            while self.namespaces:
                self.namespaces.pop().delete()
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def delete_namespace(name: str) -> None:
    """Kill every process in the network namespace `name` and remove it, if it exists."""
    with suppress(CommandError):
        for pid in run("ip", "netns", "pids", name).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "delete", name)


def namespaces_of(pid: int) -> list[str]:
    """Return the names of the lab's namespaces that the process `pid` created."""
    return [name for name in _listed() if name.startswith(f"{PREFIX}{pid}-")]


def sweep() -> None:
    """Remove namespaces whose process no longer exists: a lab that was killed (SIGKILL) leaves them behind."""
    for name in _listed():
        made_by = re.match(rf"{PREFIX}(\d+)-", name)
        if made_by and not Path("/proc", made_by[1]).exists():
            delete_namespace(name)


def _listed() -> list[str]:
    return [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line]


_open_racks: list[Rack] = []


@atexit.register
def close_all() -> None:
    """Close all racks of this process that are still open."""
    for rack in reversed(_open_racks.copy()):
        rack.close()


def _close_on_signals() -> None:
    """Let SIGTERM and SIGHUP clean up before they end the process; SIGINT raises KeyboardInterrupt, which does."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _close_and_die)


def _close_and_die(number: int, _frame: FrameType | None) -> None:
    close_all()
    sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


class _ignore_interrupts:  # noqa: N801 - used like a function
    """Ignore SIGINT inside the block (only the main thread can)."""

    def __enter__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()
        self._old = signal.signal(signal.SIGINT, signal.SIG_IGN) if self._main else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._old)


def python_module(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs `python -m name arguments…` with this interpreter."""
    return (sys.executable, "-m", name, *arguments)
