"""What holds for every test: lab tests need root; a run can be told which skips are allowed. Edge: pytest's hooks."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long one example takes says how busy the machine is, not whether the code is right.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


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
    """Judge the skips of this run if it was asked for."""
    file: Path | None = config.getoption("--allowed-skips")
    if file is not None:
        config.pluginmanager.register(SkipJudge(parse_allowed(file.read_text())), "skip-judge")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what waits longest begin first, so that the others run beside it."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def parse_allowed(text: str) -> list[re.Pattern[str]]:
    """Return the patterns of the file's lines; one without a reason is refused, # begins a comment."""
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
    """Fails a run in which something was skipped that is not on the list."""

    allowed: list[re.Pattern[str]]
    refused: list[str] = field(default_factory=list)

    def judge(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Note a skip that is not allowed; an expected failure is none."""
        is_skip = report.skipped and not hasattr(report, "wasxfail")
        if is_skip and not any(pattern.fullmatch(report.nodeid) for pattern in self.allowed):
            self.refused.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Judge one test."""
        self.judge(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Judge a module that was skipped as a whole."""
        self.judge(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - pytest-xdist has no name for it
        """Take over the modules that a worker of pytest-xdist skipped: it tells nobody else."""
        told = getattr(node, "workeroutput", {}).get("refused-skips", [])
        self.refused.extend(each for each in told if each not in self.refused)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Let the run fail."""
        yield
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["refused-skips"] = self.refused
        elif self.refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which."""
        if self.refused:
            terminalreporter.section("skipped, but not on the list of allowed skips: the run fails", red=True)
            for test in self.refused:
                terminalreporter.line(test)


@pytest.fixture(autouse=True)
def _root(request: pytest.FixtureRequest) -> None:
    """Skip lab tests where they cannot run."""
    if request.node.get_closest_marker("lab") and os.geteuid() != 0:
        pytest.skip("needs root, for network namespaces")
