"""The emitted script over real TLS: a mosquitto that asks for a certificate, and an emulated router that imports it."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from lab.fuzz.handler_rig import INTERFACE, REPORT_TOPIC, TABLE_TOPIC, entry, hub_peer, key_of, peer, place_of, table
from lab.routeros.menus.device import DevicePeer
from lab.routeros.models.clock import ModelClock
from lab.routeros.models.device import ModelDevice
from lab.routeros.mqtt.link import Link
from lab.routeros.router import Router, Site
from lab.routeros.site.namespace import RealClock
from lab.routeros.surroundings import Surroundings
from lab.routeros.switches import Switches
from lab.testbed.events import PATIENCE_S, wait_until
from lab.testbed.loopback_broker import Broker, Witness, free_port, running_broker
from tests.routeros.tls_script import UPLOADED, VERSION, tls_script
from wgmqtt.model import BrokerAddress
from wgmqtt.wire.report import decode_report

pytestmark = pytest.mark.lab

STEP_S = PATIENCE_S
NEW = place_of(1, 2000)


@dataclass(slots=True)
class TlsSite:
    """A router with a device in memory; its links to brokers are real."""

    router: Router
    device: ModelDevice
    events: SimpleQueue[tuple[str, Mapping[str, object]]]

    def wait_for(self, kind: str) -> Mapping[str, object]:
        """Return the fields of the next event of this kind."""
        seen, given_up = [], time.monotonic() + STEP_S
        while (left := given_up - time.monotonic()) > 0:
            try:
                seen.append(self.events.get(timeout=left))
            except Empty:
                break
            if seen[-1][0] == kind:
                return seen[-1][1]
        raise TimeoutError(f"no {kind}; there was {seen}")


@contextmanager
def tls_site(files: Path) -> Iterator[TlsSite]:
    """Give a router whose files lie in `files`."""
    events: SimpleQueue[tuple[str, Mapping[str, object]]] = SimpleQueue()
    device = ModelDevice(INTERFACE, ModelClock())
    now_s = time.time_ns() // 1_000_000_000
    device.put(
        [DevicePeer(each.key, "", each.configured, each.allowed, now_s, 1, 1, 25) for each in (hub_peer(), peer(1))], {}
    )
    around = Surroundings(RealClock(), device, lambda _: False, Link, tuple)
    site = Site("router", INTERFACE, VERSION, files)
    router = Router(site, Switches(), lambda kind, fields: events.put((kind, fields)), around)
    try:
        yield TlsSite(router, device, events)
    finally:
        router.close()


def openssl(directory: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=directory)  # noqa: S603, S607 - our own


def make_authority(directory: Path, name: str) -> Path:
    """Make an authority: NAME.pem and NAME.key."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")
    ca = ("-addext", "basicConstraints=critical,CA:TRUE")
    openssl(directory, "req", "-x509", *key, "-subj", f"/CN={name}", *ca, "-out", f"{name}.pem")
    return directory / f"{name}.pem"


def make_signed(directory: Path, name: str, authority: str) -> Path:
    """Make a certificate for 127.0.0.1 that the authority has signed: NAME.pem and NAME.key."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")
    openssl(directory, "req", *key, "-subj", f"/CN={name}", "-out", f"{name}.csr")
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signer = ("-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial")
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", *signer, "-extfile", "names", "-out", f"{name}.pem")
    (directory / f"{name}.key").chmod(0o644)
    return directory / f"{name}.pem"


@dataclass(slots=True)
class Meeting:
    """The broker, a client that hears all of it by another listener, and the directory with all certificates."""

    broker: Broker
    witness: Witness
    files: Path

    def script(self, ca_file: Path, own: str = "own") -> str:
        """Return the script for this broker."""
        return tls_script(ca_file, own, BrokerAddress("127.0.0.1", self.broker.port))

    def upload(self, ca_file: Path) -> None:
        """Put the file on the router."""
        (self.files / UPLOADED).write_bytes(ca_file.read_bytes())


@pytest.fixture
def meeting(tmp_path: Path) -> Iterator[Meeting]:
    """Give a broker with TLS that asks each client for a certificate, and holds a table for the router."""
    authority = make_authority(tmp_path, "authority")
    hub = make_signed(tmp_path, "hub", "authority")
    make_signed(tmp_path, "own", "authority")
    plain = free_port()
    lines = [f"cafile {authority}", f"certfile {hub}", f"keyfile {hub.with_suffix('.key')}", "require_certificate true"]
    with running_broker(tmp_path, "\n".join([*lines, f"listener {plain} 127.0.0.1"])) as broker:
        witness = Witness(plain)
        witness.publish(TABLE_TOPIC, table(entry(1, NEW)), retain=True)
        assert witness.next_message()[0] == TABLE_TOPIC
        yield Meeting(broker, witness, tmp_path)
        witness.close()


IMPORT_OWN = """
/certificate/import file-name=own.pem name=own passphrase=""
/certificate/import file-name=own.key passphrase=""
/certificate/set [find where name~"^own"] name=own
"""


def test_router_with_a_certificate_gets_its_table_over_tls(meeting: Meeting) -> None:
    meeting.upload(meeting.files / "authority.pem")
    with tls_site(meeting.files) as site:
        site.router.run_script(IMPORT_OWN)
        site.router.run_import(meeting.script(meeting.files / "authority.pem"))
        site.wait_for("connected")
        while (message := meeting.witness.next_message(STEP_S))[0] != REPORT_TOPIC:
            pass
        report = decode_report(message[1], "report")
        assert [(str(line.key), line.did) for line in report.peers] == [(key_of(1), "set")]
        assert site.device.peers[key_of(1)].endpoint == NEW


def test_router_with_another_authority_does_not_connect(meeting: Meeting) -> None:
    wrong = make_authority(meeting.files, "wrong")
    meeting.upload(wrong)
    with tls_site(meeting.files) as site:
        site.router.run_script(IMPORT_OWN)
        site.router.run_import(meeting.script(wrong))
        assert "CERTIFICATE_VERIFY_FAILED" in str(site.wait_for("disconnected")["reason"])
        assert site.device.peers[key_of(1)].endpoint == place_of(1)


def test_router_without_a_certificate_is_refused_by_the_broker(meeting: Meeting) -> None:
    meeting.upload(meeting.files / "authority.pem")
    with tls_site(meeting.files) as site:
        site.router.run_import(meeting.script(meeting.files / "authority.pem", own=""))
        site.wait_for("disconnected")
        wait_until(lambda: "peer did not return a certificate" in meeting.broker.log(), "the broker logs its reason")
        assert site.device.peers[key_of(1)].endpoint == place_of(1)
