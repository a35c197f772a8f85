"""Debian's Chromium without a window, driven by Playwright; it may run inside a network namespace."""

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

PATIENCE_MS = 60_000  # only a hang should end a wait
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@contextmanager
def running_browser(enter: Sequence[str] = ()) -> Iterator[Browser]:
    """Give a browser with a profile of its own; `enter` is the command that runs it in a namespace."""
    with tempfile.TemporaryDirectory(prefix="wgmqtt-browser-", ignore_cleanup_errors=True) as directory:
        program = Path(directory) / "chromium"
        program.write_text(f'#!/bin/sh\nexec {shlex.join([*enter, CHROMIUM])} "$@"\n')
        program.chmod(0o755)
        expect.set_options(timeout=PATIENCE_MS)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(program), args=[*FLAGS], chromium_sandbox=False)
            try:
                yield browser
            finally:
                browser.close()
