"""What systemd wants to hear: ready, alive, stopping. Edge: talks to systemd's notification socket.

Source: sd_notify(3), "Description" and "Well-known assignments".
"""

import contextlib
import os
import socket


def notify(*assignments: str) -> None:
    """Send `READY=1` and the like; nothing happens where systemd did not start this process, or does not listen.

    A message that does not arrive is no reason to end: systemd itself acts on what it does not hear.
    """
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    # A leading @ stands for the zero byte of an abstract socket.
    address = "\0" + path[1:] if path.startswith("@") else path
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK  # never wait inside the event loop
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sender:
        sender.sendto("\n".join(assignments).encode(), address)


def watchdog_s() -> float | None:
    """Return how often `WATCHDOG=1` is due (half of what systemd allows), or None. Source: sd_watchdog_enabled(3)."""
    allowed_us = os.environ.get("WATCHDOG_USEC", "")
    if not allowed_us or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(allowed_us) / 1_000_000 / 2


def has_journal() -> bool:
    """Return whether standard error goes to the journal, which adds the time itself. Source: systemd.exec(5)."""
    return "JOURNAL_STREAM" in os.environ
