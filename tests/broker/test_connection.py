"""However paho's thread ends, the daemon hears that the connection is lost. The brokers are real small servers."""

import asyncio
import multiprocessing
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.testbed.loopback_broker import Witness, running_broker
from tests.broker.fake_broker import fake_broker, publish_packet
from wgmqtt.broker.connection import MAX_PENDING, Connection, Login
from wgmqtt.broker.report_inbox import ReportInbox
from wgmqtt.broker.subscriber import Viewer
from wgmqtt.engine.effects import PublishTable, ReadRetained
from wgmqtt.engine.events import Acked, BrokerDown, BrokerUp, Event, ReadBack, Reported, TableOverwritten
from wgmqtt.errors import EdgeError
from wgmqtt.model import BrokerAddress

WAIT_S = 60.0  # only a hang should end a wait
FLOOD_S = 2.0
NOT_UTF8 = publish_packet(b"wgmqtt/\xff\xfe", b"x")
HUGE_BYTES = 250 << 20
NO_MEMORY = publish_packet(b"wgmqtt/v1", b"", HUGE_BYTES)


def login(port: int) -> Login:
    """Return a login at a broker on loopback."""
    return Login(BrokerAddress("127.0.0.1", port), "test", "hub", "secret", will_topic="", will_payload=b"")


async def events_until_down(port: int, act: Callable[[Connection], None] = lambda _: None) -> list[Event]:
    """Return the events of one connection, up to its end; `act` is done with it once it is up."""
    events: asyncio.Queue[Event] = asyncio.Queue()
    connection = Connection(1, login(port), events.put_nowait, ReportInbox(events.put_nowait, print))
    connection.start()
    found = list[Event]()
    async with asyncio.timeout(WAIT_S):
        while not (found and isinstance(found[-1], BrokerDown)):
            found.append(await events.get())
            if isinstance(found[-1], BrokerUp):
                act(connection)
        await connection.close()
    return found


def test_topic_that_is_not_utf8_ends_the_connection() -> None:
    with fake_broker(NOT_UTF8) as port:
        up, down = asyncio.run(events_until_down(port))
    assert isinstance(up, BrokerUp)
    assert isinstance(down, BrokerDown)
    assert "UnicodeDecodeError" in down.reason


def test_viewer_of_a_topic_that_is_not_utf8_raises_instead_of_waiting_for_ever() -> None:
    with (
        fake_broker(NOT_UTF8) as port,
        Viewer(login(port), ("wgmqtt/#",)) as viewer,
        pytest.raises(EdgeError, match="UnicodeDecodeError"),
    ):
        viewer.take(WAIT_S)


def _receive_without_memory(port: int, result: Path) -> None:
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used_bytes + HUGE_BYTES // 2
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    down = asyncio.run(events_until_down(port))[-1]
    assert isinstance(down, BrokerDown)
    result.write_text(down.reason)


def test_packet_that_does_not_fit_into_memory_ends_the_connection(tmp_path: Path) -> None:
    result = tmp_path / "reason"
    with fake_broker(NO_MEMORY) as port:
        child = multiprocessing.get_context("spawn").Process(target=_receive_without_memory, args=(port, result))
        child.start()
        child.join(2 * WAIT_S)
        child.kill()
    assert "MemoryError" in result.read_text()


def test_broker_that_is_not_there_is_reported_once_with_the_reason() -> None:
    with fake_broker(b"") as port:
        pass
    (down,) = asyncio.run(events_until_down(port))
    assert isinstance(down, BrokerDown)
    assert "refused" in down.reason.lower()


def test_host_name_that_no_resolver_accepts_is_a_connection_that_failed() -> None:
    """Python's IDNA codec raises UnicodeError for it, which is no OSError."""
    name = "a" * 64 + ".example"

    async def run() -> Event:
        events: asyncio.Queue[Event] = asyncio.Queue()
        where = Login(BrokerAddress(name), "test", "hub", "secret", will_topic="", will_payload=b"")
        connection = Connection(1, where, events.put_nowait, ReportInbox(events.put_nowait, print))
        connection.start()
        async with asyncio.timeout(WAIT_S):
            event = await events.get()
        await connection.close()
        return event

    down = asyncio.run(run())
    assert isinstance(down, BrokerDown)
    assert "UnicodeError" in down.reason


def test_topic_of_a_router_that_floods_is_left_for_a_while_and_its_newest_report_read_then(tmp_path: Path) -> None:
    """The broker drops the flood meanwhile: receiving it alone would delay every other message."""
    topic, last = "p/berlin/report", b"9999"
    reports, floods = list[bytes](), list[str]()

    async def run(port: int) -> None:
        witness = await asyncio.to_thread(Witness, port)
        events: asyncio.Queue[Event] = asyncio.Queue()
        inbox = ReportInbox(events.put_nowait, floods.append, pause_s=2.0)
        connection = Connection(1, login(port), events.put_nowait, inbox)
        connection.start()
        try:
            async with asyncio.timeout(WAIT_S):
                assert isinstance(await events.get(), BrokerUp)
                connection.read_retained(ReadRetained(1, (), (), (), ((topic, "berlin"),), "p/fence"))
                await events.get()
                await asyncio.to_thread(witness.flood, topic, [*(b"%d" % number for number in range(5000)), last])
                while last not in reports:
                    event = await events.get()
                    assert isinstance(event, Reported)
                    reports.append(event.payload)
        finally:
            await connection.close()
            await asyncio.to_thread(witness.close)

    with running_broker(tmp_path) as broker:
        asyncio.run(run(broker.port))
    assert set(floods) == {"berlin"}
    assert len(reports) < 1000, "of 5001: about two bursts on a quiet machine"


def test_table_of_another_client_is_noticed_and_own_tables_that_return_are_not(tmp_path: Path) -> None:
    topic = "p/berlin/endpoints"

    async def next_event(events: "asyncio.Queue[Event]") -> Event:
        async with asyncio.timeout(WAIT_S):
            return await events.get()

    async def run(port: int) -> None:
        witness = await asyncio.to_thread(Witness, port)
        await asyncio.to_thread(witness.publish, topic, b"first", retain=True)
        events: asyncio.Queue[Event] = asyncio.Queue()
        connection = Connection(1, login(port), events.put_nowait, ReportInbox(events.put_nowait, print))
        connection.start()
        try:
            assert await next_event(events) == BrokerUp(1)
            connection.read_retained(ReadRetained(1, (), ((topic, "berlin"),), (), (), "p/fence"))
            assert await next_event(events) == ReadBack(1, {topic: b"first"})
            for seq in range(1, 51):
                connection.publish_table(PublishTable(1, "berlin", topic, b"own %d" % seq, seq))
                assert await next_event(events) == Acked(1, "berlin", seq)
            for payload in (b"forged", b"", b"own 1"):
                await asyncio.to_thread(witness.publish, topic, payload, retain=True)
                assert await next_event(events) == TableOverwritten(1, "berlin")
            connection.publish_table(PublishTable(1, "berlin", topic, b"own 51", 51))
            assert await next_event(events) == Acked(1, "berlin", 51)
            await asyncio.sleep(0.2)
            assert events.empty()
        finally:
            await connection.close()
            await asyncio.to_thread(witness.close)

    with running_broker(tmp_path) as broker:
        asyncio.run(run(broker.port))


def test_messages_that_nobody_asked_for_are_dropped_and_a_flood_of_others_is_bounded() -> None:
    """A bad broker sends more than the event loop can take."""
    online, fence = "p/hub/h/online", "p/hub/h/fence"
    unasked = publish_packet(b"p/other", bytes(100)) * 1000
    flood = publish_packet(online.encode(), b"x") * 5000

    async def run(port: int) -> tuple[Event, int]:
        events: asyncio.Queue[Event] = asyncio.Queue()
        connection = Connection(1, login(port), events.put_nowait, ReportInbox(events.put_nowait, print))
        connection.start()
        async with asyncio.timeout(WAIT_S):
            assert isinstance(await events.get(), BrokerUp)
            connection.read_retained(ReadRetained(1, (), (), (online,), (), fence))
            time.sleep(FLOOD_S)  # noqa: ASYNC251 - the event loop is busy, and takes nothing meanwhile
            read_back = await events.get()
            await asyncio.sleep(0)
            pending = events.qsize()
            await connection.close()
        return read_back, pending

    with fake_broker(b"", unasked, flood) as port:
        read_back, pending = asyncio.run(run(port))
    assert read_back == ReadBack(1, {})
    assert 0 < pending <= MAX_PENDING
