"""A real mosquitto with the product's own files, on loopback."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import create_connection

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from lab.testbed.loopback_broker import free_port
from wgmqtt.broker.mosquitto import make_missing_secrets, render_configuration, write_mosquitto
from wgmqtt.config.load import read_config
from wgmqtt.model import BrokerAddress, Config

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
PATIENCE_S = 20.0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; `what` is for the error if it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


@dataclass(slots=True)
class ProductBroker:
    """mosquitto as `wgmqtt gen-mosquitto` configures it for the example's routers."""

    config: Config
    folder: Path
    process: subprocess.Popen[bytes]

    def password(self, user: str) -> str:
        """Return the password of a user."""
        return (Path(self.config.router_password_dir) / f"{user}.password").read_text().strip()

    def log(self) -> str:
        """Return what it has logged."""
        return (self.folder / "log").read_text()


@contextmanager
def product_broker(folder: Path, limits_for: int = 3) -> Iterator[ProductBroker]:
    """Give a broker that runs, with the example's routers and the limits for so many."""
    text = EXAMPLE.read_text().replace("/etc/wgmqtt/secrets", str(folder / "secrets"))
    (folder / "config.yaml").write_text(text)
    config = read_config(folder / "config.yaml")
    config = replace(config, broker=BrokerAddress("127.0.0.1", free_port()))
    make_missing_secrets(config)
    write_mosquitto(config, folder / "mosquitto")
    large = replace(config, routers=config.routers[:1] * limits_for)
    (folder / "mosquitto/conf.d/wgmqtt.conf").write_text(render_configuration(large, str(folder / "mosquitto")))
    main = folder / "mosquitto.conf"
    main.write_text(f"user root\nlog_dest stderr\ninclude_dir {folder}/mosquitto/conf.d\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["mosquitto", "-c", str(main)], stderr=log)  # noqa: S603, S607 - Debian's
    broker = ProductBroker(config, folder, process)
    try:
        wait_until(lambda: process.poll() is not None or _listens(config), "mosquitto listens")
        assert process.poll() is None, broker.log()
        yield broker
    finally:
        process.kill()
        process.wait()


def _listens(config: Config) -> bool:
    try:
        create_connection((config.broker.host, config.broker.port)).close()
    except OSError:
        return False
    return True


class User:
    """A client of one account, which notes what it receives and whether the broker has ended its connection."""

    def __init__(self, broker: ProductBroker, user: str, client_id: str = "") -> None:
        self.topics = list[str]()
        self.is_connected = self.is_subscribed = False
        self._acknowledged = set[int]()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id or f"test-{user}", reconnect_on_failure=False)
        self.client.username_pw_set(user, broker.password(user))
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: setattr(self, "is_subscribed", True)
        self.client.connect(broker.config.broker.host, broker.config.broker.port)
        self.client.loop_start()
        wait_until(lambda: self.is_connected, f"{user} connects")

    def subscribe(self, topic: str) -> None:
        """Subscribe, and return when the broker has acknowledged it."""
        self.client.subscribe(topic, 1)
        wait_until(lambda: self.is_subscribed, "subscribed")

    def publish(self, topic: str, payload: bytes = b"x", qos: int = 1) -> None:
        """Publish, and return when the broker has taken it, silently dropped it, or ended the connection."""
        info = self.client.publish(topic, payload, qos)
        with contextlib.suppress(RuntimeError):  # the connection has ended
            wait_until(lambda: not self.is_connected or info.is_published(), "published")

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(
        self, _client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        self.is_connected = not code.is_failure

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, _code: ReasonCode, _more: Properties | None
    ) -> None:
        self.is_connected = False

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.topics.append(message.topic)


@contextmanager
def user(broker: ProductBroker, name: str, client_id: str = "") -> Iterator[User]:
    """Give a connected client of one account."""
    with closing(User(broker, name, client_id)) as made:
        yield made
