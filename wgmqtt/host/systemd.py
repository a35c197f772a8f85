"""Notifies systemd: ready, alive, reloading, stopping. Source: sd_notify(3)."""

import contextlib
import os
import socket


def notify(*assignments: str) -> None:
    """Send assignments such as `READY=1`; do nothing if systemd did not start this process.

    A failure to send is ignored: systemd itself acts on notifications that it misses.
    """
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    # A leading @ denotes the zero byte of an abstract socket.
    address = "\0" + path[1:] if path.startswith("@") else path
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK  # never block the event loop
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sender:
        sender.sendto("\n".join(assignments).encode(), address)


def watchdog_s() -> float | None:
    """Return the interval of `WATCHDOG=1`, half of systemd's limit, or None. Source: sd_watchdog_enabled(3)."""
    allowed_us = os.environ.get("WATCHDOG_USEC", "")
    if not allowed_us or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(allowed_us) / 1_000_000 / 2


def has_journal() -> bool:
    """Return whether standard error goes to the journal, which adds the time itself. Source: systemd.exec(5)."""
    return "JOURNAL_STREAM" in os.environ
