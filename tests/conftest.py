"""Hooks for all tests: lab tests need root, and `--allowed-skips` makes any other skip fail the run."""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

# How long one example takes says how busy the machine is, not whether the code is right.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

if TYPE_CHECKING:
    from playwright.sync_api import Page


REAL_PATHS = ("/etc/wgmqtt", "/etc/mosquitto")


def forbid_real_paths(event: str, arguments: tuple[object, ...]) -> None:
    """Fail whatever opens a file of a wgmqtt that is installed on this machine."""
    if event == "open" and str(arguments[0]).startswith(REAL_PATHS):
        raise AssertionError(f"a test opens {arguments[0]}, which belongs to this machine")


sys.addaudithook(forbid_real_paths)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--allowed-skips FILE`."""
    text = "a file of lines 'ID-PATTERN REASON' (* stands for anything); any other skip fails the run"
    parser.addoption("--allowed-skips", metavar="FILE", type=Path, default=None, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the judge of skips if `--allowed-skips` is given."""
    file: Path | None = config.getoption("--allowed-skips")
    if file is not None:
        config.pluginmanager.register(SkipJudge(parse_allowed(file.read_text())), "skip-judge")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the tests that wait longest first, so that the others run beside them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def parse_allowed(text: str) -> list[re.Pattern[str]]:
    """Return the patterns of the file's lines; a line without a reason is an error, # starts a comment."""
    patterns = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, reason = line.partition(" ")
        if not reason.strip():
            raise pytest.UsageError(f"allowed skips: no reason given: {line}")
        patterns.append(re.compile(".*".join(map(re.escape, pattern.split("*")))))
    return patterns


@dataclass(eq=False)  # pytest keeps its plugins in sets
class SkipJudge:
    """Fails a run in which a test was skipped that is not on the list."""

    allowed: list[re.Pattern[str]]
    rejected: list[str] = field(default_factory=list)

    def judge(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Record a skip that is not allowed; an expected failure is no skip."""
        is_skip = report.skipped and not hasattr(report, "wasxfail")
        if is_skip and not any(pattern.fullmatch(report.nodeid) for pattern in self.allowed):
            self.rejected.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Check the report of a test."""
        self.judge(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Check the report of a module, which may be skipped as a whole."""
        self.judge(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - pytest-xdist exports no type for it
        """Add the skips that a worker of pytest-xdist found: it reports skipped modules to nobody else."""
        found = getattr(node, "workeroutput", {}).get("rejected-skips", [])
        self.rejected.extend(each for each in found if each not in self.rejected)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Fail the run if a skip was rejected."""
        yield
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["rejected-skips"] = self.rejected
        elif self.rejected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List the rejected skips."""
        if self.rejected:
            terminalreporter.section("skipped, but not on the list of allowed skips: the run fails", red=True)
            for test in self.rejected:
                terminalreporter.line(test)


@pytest.fixture(autouse=True)
def _root(request: pytest.FixtureRequest) -> None:
    """Skip lab tests without root."""
    if request.node.get_closest_marker("lab") and os.geteuid() != 0:
        pytest.skip("needs root, for network namespaces")


@pytest.fixture(scope="session")
def screenshot_folder() -> Path:
    """Give a folder that stays after the tests; its name is printed at the end."""
    return Path(tempfile.mkdtemp(prefix="wgmqtt-screenshots-"))


@pytest.fixture
def screenshot(
    screenshot_folder: Path, record_property: Callable[[str, object], None]
) -> Callable[["Page", str], Path]:
    """Give a function that keeps a screenshot of a page under a name."""

    def keep(page: "Page", name: str) -> Path:
        path = screenshot_folder / f"{name}.png"
        page.screenshot(path=path)
        record_property("screenshots", str(screenshot_folder))
        return path

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print where the screenshots are."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [each for report in reports for each in getattr(report, "user_properties", ())]
    for folder in sorted({str(value) for name, value in properties if name == "screenshots"}):
        terminalreporter.write_line(f"screenshots: {folder}")
