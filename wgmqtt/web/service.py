"""`wgmqtt web`: follows the broker and serves HTTP until SIGTERM. Edge: the event loop, signals, the log."""

import asyncio
import os
import secrets
import signal
import time

from aiohttp import web

from wgmqtt import phrases
from wgmqtt.broker.connection import Login
from wgmqtt.broker.mosquitto import WEB
from wgmqtt.host import journal, systemd
from wgmqtt.host.secrets import read_secret
from wgmqtt.logline import say
from wgmqtt.model import Config, Endpoint, reach_of
from wgmqtt.web.feed import follow
from wgmqtt.web.mesh import Change, Mesh
from wgmqtt.web.server import Site
from wgmqtt.wire.topics import topics_of

DEFAULT_PORT = 8080
LISTEN_RETRY_S = 2.0
CLOSING_S = 2.0


def run(config: Config) -> None:
    """Run until SIGTERM or SIGINT."""
    asyncio.run(_Service(config).run())


class _Service:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._listen = config.web.listen or Endpoint(config.hub.tunnel_address, DEFAULT_PORT)
        self._topics = topics_of(config)
        self._mesh = Mesh(self._topics, time.time(), secrets.token_hex(4))
        self._site = Site(self._mesh, config.web.names)
        self._is_lost_logged = False

    async def run(self) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        serving = loop.create_task(self._serve())
        following = loop.create_task(follow(self._login, self._followed(), self))
        tasks: tuple[asyncio.Task[object], ...] = (
            serving,
            following,
            loop.create_task(stopped.wait()),
            loop.create_task(_feed_watchdog()),
        )
        systemd.notify("READY=1")  # as the daemon: it waits for the address and the broker, and logs that
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        systemd.notify("STOPPING=1")
        self._site.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()  # raises what ended it, unless it was the signal
        journal.write(say(phrases.PAGE_STOPPED))

    def connected(self) -> None:
        """Note that the broker accepted the subscriptions."""
        self._is_lost_logged = False
        journal.write(say(phrases.PAGE_CONNECTED, hub=self._config.hub.name))
        self._show(self._mesh.connected(time.time()))

    def disconnected(self, reason: str) -> None:
        """Note that there is no connection; log it once, until there is one again."""
        if not self._is_lost_logged:
            self._is_lost_logged = True
            journal.write(say(phrases.PAGE_DISCONNECTED, reason=reason))
        self._show(self._mesh.disconnected(reason, time.time()))

    def message(self, topic: str, payload: bytes) -> None:
        """Take a message of the hub."""
        self._show(self._mesh.take(topic, payload))

    def _show(self, change: Change) -> None:
        self._site.show(change)

    def _login(self) -> Login:
        password = read_secret(f"{self._config.router_password_dir}/{WEB}.password")
        client_id = f"wgmqtt-{WEB}-{secrets.token_hex(4)}"
        return Login(self._config.broker, client_id, WEB, password, will_topic="", will_payload=b"")

    def _followed(self) -> tuple[str, ...]:
        return (self._topics.hub_online, self._topics.hub_status, self._topics.hub_events)

    async def _serve(self) -> None:
        """Serve HTTP until cancelled; wait for the address, which may not exist before the tunnel."""
        runner = web.AppRunner(
            self._site.application(), access_log=None, handle_signals=False, shutdown_timeout=CLOSING_S
        )
        await runner.setup()
        listen = self._listen
        is_logged = False
        try:
            while True:
                try:
                    await web.TCPSite(runner, listen.address, listen.port).start()
                    break
                except OSError as error:
                    if not is_logged:
                        reason = os.strerror(error.errno) if error.errno else str(error)
                        journal.write(say(phrases.PAGE_NO_ADDRESS, listen=listen, reason=reason))
                    is_logged = True
                    await asyncio.sleep(LISTEN_RETRY_S)
            if reach_of(listen.address) in ("public", "unspecified"):
                journal.write(say(phrases.PAGE_PUBLIC, listen=listen))
            journal.write(say(phrases.PAGE_READY, url=f"http://{listen}/"))
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


async def _feed_watchdog() -> None:
    pause_s = systemd.watchdog_s()
    while pause_s is not None:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(pause_s)
    await asyncio.Event().wait()
