"""Give commands to nftables: through libnftables in this process, or through nft(8) as a process.

The library holds one netlink socket open, and a table with `flags owner` belongs to it: nobody else can delete or flush
it, and the kernel removes it with the socket, however this process ends (nft(8), TABLES). A process of nft ends after
each command, so its table has no owner: `flush ruleset` removes it, and a daemon that is killed leaves it behind.
"""

import asyncio
import contextlib
import ctypes
import shutil
import subprocess
from typing import Protocol

from wgmqtt.errors import EdgeError, Problem
from wgmqtt.watch.ruleset import render_removal

LIBRARY = "libnftables.so.1"
_ANSWER_WITHIN_S = 5.0


class Nftables(Protocol):
    """One way to give commands to nftables."""

    has_owner: bool
    """Whether a table that it makes can have an owner."""

    async def run(self, commands: str) -> None:
        """Carry out all of `commands`, or none.

        Raises:
            EdgeError: nftables rejected them; nothing was changed.
        """

    def close(self, table: str) -> None:
        """Remove the table of this name, and close what is open."""


class Library:
    """libnftables(3), in this process: 0.1 ms per command, and the table disappears with this process."""

    has_owner = True

    def __init__(self, name: str = LIBRARY) -> None:
        library = self._library = ctypes.CDLL(name)  # OSError where it is missing
        library.nft_ctx_new.restype = ctypes.c_void_p
        library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
        self._context: ctypes.c_void_p | None = ctypes.c_void_p(library.nft_ctx_new(0))
        library.nft_ctx_buffer_output(self._context)
        library.nft_ctx_buffer_error(self._context)

    async def run(self, commands: str) -> None:
        """Carry out `commands`, see `Nftables.run`."""
        if self._library.nft_run_cmd_from_buffer(self._context, commands.encode("ascii")):
            raise _rejection(self._library.nft_ctx_get_error_buffer(self._context).decode("utf-8", "replace"))

    def close(self, table: str) -> None:  # noqa: ARG002 - the table disappears with the socket
        """Close the socket, and with it the table."""
        if self._context is not None:
            self._library.nft_ctx_free(self._context)
            self._context = None


class Program:
    """nft(8), one process per command: for machines without the library."""

    has_owner = False

    def __init__(self, nft: str) -> None:
        self._command = (nft, "-f", "-")

    async def run(self, commands: str) -> None:
        """Carry out `commands`, see `Nftables.run`."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                _, error = await process.communicate(commands.encode("ascii"))
        except TimeoutError:
            raise _rejection("no answer in time") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        if process.returncode:
            raise _rejection(error.decode("utf-8", "replace"))

    def close(self, table: str) -> None:
        """Remove the table."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            text = render_removal(table).encode("ascii")
            subprocess.run(  # noqa: S603 - nft by its full path, with a text rendered here
                self._command, input=text, capture_output=True, check=False, timeout=_ANSWER_WITHIN_S
            )


def open_nftables() -> Nftables:
    """Return the library, or else the program.

    Raises:
        EdgeError: this machine has neither.
    """
    try:
        return Library()
    except OSError as error:
        nft = shutil.which("nft")
        if nft is None:
            hint = "apt-get install libnftables1"
            raise EdgeError(Problem("nftables", f"cannot be used: {error}", hint=hint)) from None
        return Program(nft)


def _rejection(text: str) -> EdgeError:
    lines = [line for line in text.splitlines() if line.strip()] or ["nftables gave no reason"]
    return EdgeError(Problem("nftables", lines[0].removeprefix("Error: ").strip(), hint="needs CAP_NET_ADMIN"))
