"""The daemon as a process whose broker and interface do not exist, started as systemd does it."""

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
WATCHDOG_S = 2.0
ROUTER = """
  r{number}:
    public_key: "{key}"
    routeros: "7.20"
    interface: wireguard1
    tunnel_address: 10.100.{end}
    ping: 10.101.{end}"""


def write_config(folder: Path, routers: int = 0) -> Path:
    """Write the example's configuration, with so many routers more, and the hub's secret; return its path."""
    secret = folder / "hub.password"
    secret.write_text("secret\n")
    secret.chmod(0o600)
    text = (ROOT / "config.example.yaml").read_text()
    text = text.replace("/etc/wgmqtt/secrets/hub.password", str(secret)).replace("[wg0]", "[wgmqtt-none0]")
    text = re.sub("host: 10.99.0.1 .*", "host: 127.0.0.1\n  for_routers: {host: 10.99.0.1}", text)
    text = text.replace("port: 1883\n", "port: 9\n")  # discard: nothing listens
    more = "".join(
        ROUTER.format(number=number, key=key(number), end=f"{number // 250}.{number % 250}")
        for number in range(routers)
    )
    config = folder / "config.yaml"
    beside = folder / "config.new"
    beside.write_text(text.replace("\nlinks:", f"{more}\nlinks:"))
    beside.rename(config)
    return config


def key(number: int) -> str:
    """Return a public key of a router's own."""
    return base64.b64encode(hashlib.sha256(str(number).encode()).digest()).decode()


@contextmanager
def running_daemon(config: Path, notify: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Give the process; its log is the file `log` beside the configuration."""
    environment = {"WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)), "JOURNAL_STREAM": "1:2", "NOTIFY_SOCKET": notify}
    command = [sys.executable, "-m", "wgmqtt", "run", "-c", str(config)]
    with config.with_name("log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)  # noqa: S603 - this interpreter
        try:
            yield process
        finally:
            process.kill()
            process.wait()
