"""Server-sent events: what each open page has still to be sent. Pure.

A page that reads slowly costs no more than its bounded backlog: of one subject only the newest message is kept.
"""

import asyncio

MAX_PENDING = 64
HEARTBEAT = b": still here\n\n"


class Backlog:
    """The messages that one page has not been sent yet, by subject."""

    def __init__(self) -> None:
        self._pending: dict[str, bytes] = {}
        self._filled = asyncio.Event()
        self.is_closed = False

    def put(self, subject: str, message: bytes) -> None:
        """Add a message, in place of an older one on the same subject."""
        self._pending.pop(subject, None)
        if len(self._pending) >= MAX_PENDING:
            self._pending.pop(next(iter(self._pending)))
        self._pending[subject] = message
        self._filled.set()

    def close(self) -> None:
        """Let the reader end."""
        self.is_closed = True
        self._filled.set()

    async def take(self, timeout_s: float) -> bytes:
        """Return what is pending; after `timeout_s` without anything a heartbeat; nothing at all once closed."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._filled.wait()
        except TimeoutError:
            return HEARTBEAT
        self._filled.clear()
        taken = b"".join(self._pending.values())
        self._pending.clear()
        return taken


def render_event(name: str, data: bytes) -> bytes:
    """Return one server-sent event; `data` is JSON in ASCII, which has no line breaks."""
    return b"event: " + name.encode("ascii") + b"\ndata: " + data + b"\n\n"
