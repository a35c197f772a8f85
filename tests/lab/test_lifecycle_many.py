"""Three thousand routers: all tables are read back, and a restart without changes publishes nothing."""

import time

import pytest

from lab.testbed.standalone_hub import StandaloneHub

pytestmark = pytest.mark.lab

COUNT = 3000
NAMES = [f"r{number:04}" for number in range(COUNT)]
TABLES_S = 180.0


def place(number: int) -> str:
    """Return an endpoint that only this router has."""
    return f"203.0.113.{number % 250 + 1}:{number // 250 + 10_000}"


def tables(hub: StandaloneHub, since_ns: int = 0) -> int:
    """Return the number of published tables in the daemon's log: one line each, or one for many."""
    many = hub.log.find("hub", "tables published", since_ns=since_ns)
    single = hub.log.find("hub", "table published", since_ns=since_ns)
    return len(single) + sum(int(str(event.data["count"])) for event in many)


def await_tables(hub: StandaloneHub) -> None:
    """Return when every router has a table and none was published for a second."""
    deadline = time.monotonic() + TABLES_S
    before = -1
    while time.monotonic() < deadline:
        count = tables(hub)
        if count >= COUNT and count == before:
            return
        before = count
        time.sleep(1.0)
    raise TimeoutError(f"{before} tables after {TABLES_S} s")


def test_tables_of_three_thousand_routers_are_read_back_and_a_restart_publishes_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with StandaloneHub() as hub:
        for name in NAMES:
            hub.add_router(name)
        hub.settings["links"] = [[name, NAMES[(number + 1) % COUNT]] for number, name in enumerate(NAMES)]
        hub.write_config()
        hub.start_broker()  # its limits must fit the number of routers
        hub.add_interface()
        hub.set_endpoints(*((name, place(number)) for number, name in enumerate(NAMES)))
        hub.daemon.start()
        await_tables(hub)
        hub.daemon.stop()

        since_ns = hub.log.note("lab", "mark").t_ns
        hub.daemon.start()
        started = hub.expect_log("started", since_ns=since_ns)
        ready = hub.expect_log("broker ready", since_ns=since_ns)
        assert ready.data["retained"] == str(COUNT)
        time.sleep(2.0)
        assert hub.log.find("hub", "endpoints changed", since_ns=since_ns, count=str(COUNT))
        assert tables(hub, since_ns) == 0
        assert hub.published(since_ns=since_ns) == []
        assert hub.warnings() == []
        moved_ns = hub.set_endpoints((NAMES[7], "203.0.113.251:7"))
        table = hub.expect_table(NAMES[8], NAMES[7], "203.0.113.251:7", since_ns=moved_ns)
    with capsys.disabled():
        print(  # noqa: T201 - the figures that this test measures
            f"\n{COUNT} routers (1 run): read back {(ready.t_ns - started.t_ns) / 1e6:.0f} ms after the start,"
            f" a move published after {(table.t_ns - moved_ns) / 1e6:.0f} ms"
        )
