"""Servers and browsers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from lab.testbed.browser import running_browser
from lab.testbed.web_server import WebServer, running_web


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """Give `wgmqtt web` with a broker of its own."""
    with running_web(tmp_path_factory.mktemp("web")) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a Chromium without a window. Playwright's event loop runs in this thread, so no other test may need one."""
    with running_browser() as made:
        yield made
