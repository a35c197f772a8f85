"""mosquitto's files: the password hash against the published algorithm, the rules of the contract, the modes."""

import base64
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import make_config
from wgmqtt.broker.mosquitto import (
    make_missing_secrets,
    render_access,
    render_configuration,
    render_passwords,
    write_mosquitto,
)
from wgmqtt.config.load import read_config
from wgmqtt.model import BrokerAddress, Tls

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def test_password_line_is_the_one_of_mosquitto_passwd() -> None:
    """Made by Debian's mosquitto_passwd 2.0.11: `mosquitto_passwd -b -c FILE berlin secret`, salt read back."""
    text = render_passwords({"berlin": "secret"}, {"berlin": base64.b64decode("i0YzptbXNV9sKG23")})
    assert text == (
        "berlin:$7$101$i0YzptbXNV9sKG23$"
        "E4PBteE+rFkDeauweph+5RLcsyZcnnFPmDukjMZT3tHU8+0J4EPe0owyXMxI2jwl/3EWE7QO0z+AiDuf8flEZw==\n"
    )


@pytest.mark.parametrize(
    ("way", "for_routers", "expected"),
    [
        (BrokerAddress("10.99.0.1"), BrokerAddress("10.99.0.1"), ["listener 1883 10.99.0.1"]),
        (BrokerAddress("127.0.0.1"), BrokerAddress("hub.example.net", 1884), ["listener 1883 127.0.0.1"]),
        (
            BrokerAddress("", unix_socket="/run/m.sock"),
            BrokerAddress("10.99.0.1"),
            ["listener 0 /run/m.sock", "listener 1883 10.99.0.1"],
        ),
        (BrokerAddress("10.99.0.1", 8883, Tls("/ca.pem")), BrokerAddress("10.99.0.1", 8883, Tls("/ca.pem")), []),
    ],
    ids=["tcp", "routers by another name", "unix", "tls"],
)
def test_listener_is_the_hubs_way_in_and_never_every_address(
    way: BrokerAddress, for_routers: BrokerAddress, expected: list[str]
) -> None:
    text = render_configuration(replace(make_config(), broker=way, broker_for_routers=for_routers), "/etc/mosquitto")
    assert [line for line in text.splitlines() if line.startswith("listener")] == expected


def test_access_rules_give_a_router_its_own_topics_only() -> None:
    lines = render_access(make_config()).splitlines()
    assert [line for line in lines if line.startswith("pattern")] == [
        "pattern read wgmqtt/v1/%u/endpoints",
        "pattern write wgmqtt/v1/%u/report",
        "pattern write wgmqtt/v1/%u/online",
    ]


def test_gen_mosquitto_makes_missing_secrets_once_and_private(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace("/etc/wgmqtt/secrets", str(tmp_path / "secrets"))
    (tmp_path / "config.yaml").write_text(text)
    config = read_config(tmp_path / "config.yaml")
    made = make_missing_secrets(config)
    assert sorted(path.name for path in made) == [
        "amsterdam.password",
        "berlin.password",
        "cologne.password",
        "hub.password",
        "viewer.password",
        "web.password",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    before = {path: path.read_text() for path in made}
    assert make_missing_secrets(config) == []
    written = write_mosquitto(config, tmp_path / "mosquitto")
    assert {path: path.read_text() for path in made} == before
    assert all(not stat.S_IMODE(path.stat().st_mode) & 0o007 for path in written)
    hashed = (tmp_path / "mosquitto" / "wgmqtt.passwd").read_text()
    assert not any(secret.strip() in hashed for secret in before.values())
