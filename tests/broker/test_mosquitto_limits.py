"""What one stolen account can make a real mosquitto do, with the limits of gen-mosquitto. Nothing here needs root."""

import asyncio
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lab.testbed.process_cost import memory_mib
from tests.broker.product_broker import ProductBroker, product_broker, user, wait_until
from tests.engine.world import make_config
from wgmqtt.broker.connection import Connection, Login
from wgmqtt.broker.mosquitto import limits_of, render_configuration
from wgmqtt.broker.report_inbox import ReportInbox
from wgmqtt.engine.effects import PublishTable, ReadRetained
from wgmqtt.engine.events import Acked, BrokerUp, Event, ReadBack
from wgmqtt.model import link_of
from wgmqtt.wire.hub import HubStatus, LinkLine, RouterLine, encode_status

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="no mosquitto"),
]
PREFIX = "wgmqtt/v1"
TABLE_BYTES = 15_000
REPORT = f"{PREFIX}/berlin/report"
DROP_IN = Path(__file__).parents[2] / "packaging" / "systemd" / "mosquitto-wgmqtt.conf"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ProductBroker]:
    with product_broker(tmp_path) as made:
        yield made


def test_message_beyond_the_limit_ends_its_senders_connection_and_costs_no_memory(broker: ProductBroker) -> None:
    before_mib = memory_mib(broker.process.pid, "VmHWM")
    with user(broker, "hub") as hub, user(broker, "berlin") as berlin:
        hub.subscribe(REPORT)
        berlin.publish(REPORT, bytes(100 << 20))
        wait_until(lambda: not berlin.is_connected, "the broker ends the connection")
        assert hub.is_connected
        assert hub.topics == []
    assert memory_mib(broker.process.pid, "VmHWM") - before_mib < 16


def test_publish_at_qos_2_ends_the_connection(broker: ProductBroker) -> None:
    """The broker would keep each such message until its sender releases it."""
    with user(broker, "berlin") as berlin:
        berlin.publish(REPORT, qos=1)
        assert berlin.is_connected
        berlin.publish(REPORT, qos=2)
        wait_until(lambda: not berlin.is_connected, "the broker ends the connection")


def test_viewer_writes_nothing_not_even_topics_of_its_own_name(broker: ProductBroker) -> None:
    with user(broker, "hub") as hub, user(broker, "viewer") as viewer, user(broker, "berlin") as berlin:
        hub.subscribe(f"{PREFIX}/#")
        viewer.subscribe(f"{PREFIX}/#")
        for topic in ("viewer/report", "viewer/online", "viewer/endpoints", "berlin/report", "hub/hub1/status"):
            viewer.publish(f"{PREFIX}/{topic}")
        berlin.publish(REPORT)
        wait_until(lambda: REPORT in hub.topics and REPORT in viewer.topics, "berlin's report arrives")
        assert (hub.topics, viewer.topics) == ([REPORT], [REPORT])


def test_client_that_reconnects_in_a_loop_leaves_no_lines_in_the_log(broker: ProductBroker) -> None:
    before = broker.log()
    for _ in range(20):
        with user(broker, "berlin"):
            pass
    assert len(broker.log()) - len(before) < 20


def test_hub_reads_back_every_table_of_the_largest_size(tmp_path: Path) -> None:
    """The limit of the queue counts for these messages, too, and the broker sends faster than the hub reads."""
    topics = {f"{PREFIX}/r{number}/endpoints": f"r{number}" for number in range(1500)}
    with product_broker(tmp_path, len(topics)) as broker:
        found = read_back(broker, topics)
    assert found.keys() == topics.keys()
    assert {len(table) for table in found.values()} == {TABLE_BYTES}


def read_back(broker: ProductBroker, topics: Mapping[str, str]) -> Mapping[str, bytes]:
    """Publish a table on each of the topics (topic to router), and return what the hub reads back."""

    async def run() -> Mapping[str, bytes]:
        events: asyncio.Queue[Event] = asyncio.Queue()
        address = broker.config.broker
        login = Login(address, "hub", "hub", broker.password("hub"), will_topic="", will_payload=b"")
        connection = Connection(1, login, events.put_nowait, ReportInbox(events.put_nowait, print))
        connection.start()
        async with asyncio.timeout(60):
            assert isinstance(await events.get(), BrokerUp)
            for number, (topic, name) in enumerate(topics.items()):
                connection.publish_table(PublishTable(1, name, topic, bytes(TABLE_BYTES), number))
                assert isinstance(await events.get(), Acked)
            connection.read_retained(ReadRetained(1, (), tuple(topics.items()), (), (), f"{PREFIX}/hub/hub1/fence"))
            found = await events.get()
        await connection.close()
        assert isinstance(found, ReadBack)
        return found.retained

    return asyncio.run(run())


@pytest.mark.parametrize("routers", [2, 100, 2000])
def test_status_of_every_possible_link_fits_into_a_message(routers: int) -> None:
    """A link needs no new gen-mosquitto, and the broker would end the hub's connection at a larger message."""
    names = [f"router-with-a-long-name-{number:08}" for number in range(routers)]
    links = sum(min(index, 60) for index in range(routers))
    long = "x" * 250
    router = RouterLine(names[0], "[2001:db8:1234:5678:1234:5678:1234:5678]:65535", 1.7e9, 1.7e9, 12345.6, long)
    link = LinkLine(names[0], names[1], "trying", 1.7e9, 12345.6, long)
    head = HubStatus("0" * 8, "0.1.0", is_frozen=False, at_s=1.7e9, managed=tuple(names))
    payload = encode_status(head, (router for _ in range(routers)), (link for _ in range(links)))
    small = replace(make_config(("a", "b")), links=frozenset([link_of("a", "b")]))
    config = replace(small, routers=small.routers[:1] * routers)
    if routers <= 100:
        assert len(payload) < limits_of(config).message_bytes
    full = replace(config, links=frozenset(link_of("a", str(number)) for number in range(links)))
    assert len(payload) < limits_of(full).message_bytes


def test_files_that_the_broker_may_open_are_enough_for_its_connections() -> None:
    (limit,) = re.findall(r"^LimitNOFILE=(\d+)$", DROP_IN.read_text(), re.MULTILINE)
    config = make_config(("a", "b"))
    large = replace(config, routers=config.routers[:1] * 10_000)
    text = render_configuration(large, "/etc/mosquitto")
    (connections,) = re.findall(r"^max_connections (\d+)$", text, re.MULTILINE)
    assert 10_000 < int(connections) < int(limit)
