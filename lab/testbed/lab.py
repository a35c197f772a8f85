"""The whole lab: network, broker, daemon, and emulated routers that run the scripts of `gen-rsc`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Self

from lab.network.addresses import HUB_PORT, HUB_TUNNEL
from lab.network.netns import python_module
from lab.network.shell import run
from lab.network.topology import Network, Site
from lab.testbed.broker import VIEWER, Broker
from lab.testbed.child import Child, read_json_line
from lab.testbed.daemon import Daemon
from lab.testbed.events import PATIENCE_S, Event, EventLog
from lab.testbed.setting import PREFIX, Setting, render_configuration
from lab.testbed.site_router import SiteRouter

__all__ = ["Lab", "Setting"]  # whoever starts a lab needs both


class Lab:
    """A hub with broker and daemon, and sites with routers. As a context manager it leaves nothing behind.

    Sources of events: the sites' names, `hub` (the daemon's log), `broker`, `viewer` (every message of the broker),
    `tap` (the first packet from each address), `lab` (what the test did).
    """

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting()
        self.log = EventLog()
        self.network = Network(
            self.setting.sites, family=self.setting.family, nat=self.setting.nat, wireguard=self.setting.wireguard
        )
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        self._children: list[Child] = []
        self.directory = self.network.hub.directory
        self.config = self.directory / "config.yaml"
        self._secrets = self.directory / "secrets"
        self.config.write_text(render_configuration(self.setting, self.network, self._secrets))
        folder = self.directory / "mosquitto"
        self.wgmqtt("gen-mosquitto", "--folder", str(folder))
        self.wgmqtt("gen-rsc", "--all", str(self.directory / "scripts"))
        self.broker = Broker(self.network.hub, self.log, folder)
        self._tap = self._child("tap", "lab.probes.tap", "--interface", "wan", "--port", str(HUB_PORT))
        self.mqtt_user(VIEWER, f"{PREFIX}/#", source="viewer")
        self.daemon = Daemon(self.network.hub, self.log, self.config, ("--log", self.setting.log_level))
        self.routers = {name: self._router(site) for name, site in self.network.sites.items()}

    def _router(self, site: Site) -> SiteRouter:
        watched = [f"--peer={other.name}={other.public_key}" for other in self._others(site)]
        self._child(site.name, "lab.probes.rx_watch", "--interface", site.device.name, *watched, site=site)
        return SiteRouter(site, self.log, self.setting.routeros, self.setting.switches)

    def _others(self, site: Site) -> list[Site]:
        return [other for other in self.network.sites.values() if other is not site]

    def _child(self, source: str, module: str, *arguments: str, site: Site | None = None) -> Child:
        namespace = site.namespace if site else self.network.hub
        child = Child(source, namespace, python_module(module, *arguments), self.log, read_json_line)
        self._children.append(child)
        return child

    def wgmqtt(self, command: str, *arguments: str) -> str:
        """Run a wgmqtt command with this lab's configuration and return its output."""
        return run(*python_module("wgmqtt", command, "-c", str(self.config), *arguments))

    def script(self, name: str) -> Path:
        """Return the file of the script that router `name` imports, edited by the setting's `edit_script`."""
        file = self.directory / "scripts" / f"{name}.rsc"
        edited = file.with_suffix(".edited.rsc")
        edited.write_text(self.setting.edit_script(file.read_text()))
        return edited

    def mqtt_user(self, user: str, *topics: str, source: str = "", password: str = "") -> Child:
        """Connect one more client as `user` in the hub's namespace; the messages it receives are events of `source`."""
        arguments = [f"--topic={topic}" for topic in topics]
        of_user = ("--host", HUB_TUNNEL, "--user", user, *arguments)
        child = self._child(source or f"as-{user}", "lab.probes.mqtt_user", *of_user)
        child.send({"password": password or (self._secrets / f"{user}.password").read_text().strip()})
        return child

    def import_scripts(self) -> None:
        """Import each router's script, and return when all routers are connected to the broker."""
        since_ns = self.log.note("lab", "import").t_ns
        for router in self.routers.values():
            router.import_script(self.script(router.name))
        for name in self.routers:
            self.log.expect(name, "connected", PATIENCE_S, since_ns=since_ns)

    def start_daemon(self) -> None:
        """Start wgmqtt on the hub."""
        self.daemon.start()

    def start(self) -> Self:
        """Import the scripts, start the daemon, and return when all sites have direct paths."""
        since_ns = self.log.note("lab", "start").t_ns
        self.import_scripts()
        self.start_daemon()
        self.all_direct(since_ns=since_ns)
        return self

    def move(self, name: str, gap_s: float = 0.0) -> Event:
        """Give a site its other public address after `gap_s`; return the event `moved`, stamped when it has it.

        Then it sends one packet to the hub, as a site in use does; else its next keepalive (25 s) would be the first.
        """
        site = self.network.sites[name]
        since_ns = self.log.note("lab", "move", site=name, gap_s=gap_s).t_ns
        self._tap.send({"forget": site.other_wan_address})
        self.log.expect("tap", "forgot", PATIENCE_S, since_ns=since_ns)
        site.change_address(site.other_wan_address, gap_s)
        moved = self.log.note("lab", "moved", site=name, address=site.wan_address)
        site.send_to_hub()
        return moved

    def first_packet(self, name: str, timeout_s: float, *, since_ns: int) -> Event:
        """Return the first packet that reached the hub from the site's current public address."""
        address = self.network.sites[name].wan_address
        return self.log.expect("tap", "packet", timeout_s, since_ns=since_ns, address=address)

    def direct(self, one: str, other: str, timeout_s: float, *, since_ns: int) -> int:
        """Return when (Unix time, ns) both ends had received over the direct path, after `since_ns`.

        The proof is each end's receive counter of the other, with the other's current address as the endpoint. The lab
        sends nothing meanwhile, so only the product can open the path.
        """
        return max(
            self._received(one, other, timeout_s, since_ns).t_ns, self._received(other, one, timeout_s, since_ns).t_ns
        )

    def _received(self, at: str, sender: str, timeout_s: float, since_ns: int) -> Event:
        address = self.network.sites[sender].wan_address

        def proves(event: Event) -> bool:
            return event.matches(at, "rx", peer=sender) and address in str(event.data["endpoint"])

        what = f"{at} receives from {sender} at {address}"
        return self.log.wait_for(proves, timeout_s, since_ns=since_ns, what=what)

    def all_direct(self, timeout_s: float = PATIENCE_S, *, since_ns: int) -> int:
        """Return when (Unix time, ns) the last pair of sites became direct, after `since_ns`."""
        pairs = combinations(self.routers, 2)
        return max(self.direct(one, other, timeout_s, since_ns=since_ns) for one, other in pairs)

    def never_direct(self, one: str, other: str, for_s: float, *, since_ns: int) -> bool:
        """Return whether for `for_s` neither end received from the other's current address."""
        return not (self._within(one, other, for_s, since_ns) or self._within(other, one, 0.0, since_ns))

    def _within(self, at: str, sender: str, timeout_s: float, since_ns: int) -> bool:
        address = self.network.sites[sender].wan_address
        events = self.log.collect(timeout_s, at, "rx", since_ns=since_ns, peer=sender)
        return any(address in str(event.data["endpoint"]) for event in events)

    def table(self, name: str) -> dict[str, object]:
        """Return the last table that was published for a router."""
        return self._last_message(f"{PREFIX}/{name}/endpoints")

    def report(self, name: str) -> dict[str, object]:
        """Return the last report of a router."""
        return self._last_message(f"{PREFIX}/{name}/report")

    def _last_message(self, topic: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(str(self.log.find("viewer", "message", topic=topic)[-1].data["payload"]))
        return found

    def writes(self, name: str, *, since_ns: int = 0) -> list[Event]:
        """Return the router's writes to its peers since then; each one wears its flash."""
        return self.log.find(name, "set", since_ns=since_ns)

    @contextmanager
    def daemon_stopped(self) -> Iterator[None]:
        """Stop the daemon inside the block."""
        self.daemon.stop()
        yield
        self.daemon.start()

    def kill_daemon(self) -> None:
        """Kill the daemon, as a crash does."""
        self.daemon.kill()

    def close(self) -> None:
        """Stop every process and remove everything; a second call does nothing."""
        self.network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
