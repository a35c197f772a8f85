"""The process of one site: it reads orders and writes events, both as JSON lines.

The lab starts it inside the site's namespaces: `python -m lab.routeros.site --interface wg0 --name site-a
--version 7.20.8 [--files DIR] [--switch NAME=VALUE …]`. Orders: {"do":"import","file":PATH}, {"do":"message",
"topic":…,"payload":…}, {"do":"run","source":TEXT}, {"do":"drop-mqtt"}, {"do":"stop"}; the end of stdin also stops it.

Exit status: 0 stopped; 2 wrong arguments; 3 something is not implemented in the emulator (event `not-implemented`); 4
an error in the emulator (event `crash`).
"""

import argparse
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import readable, render
from lab.routeros.router import Router, Site
from lab.routeros.site.namespace import real_surroundings
from lab.routeros.switches import parse_switches

NOT_IMPLEMENTED, CRASH = 3, 4


class Events:
    """Writes events, one JSON object a line, from any thread."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._lock = threading.Lock()

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        """Write one event and flush it; its time is when it happened, not when it is written."""
        record = {"t_ns": time.time_ns(), "site": self._site, "event": event, **fields}
        with self._lock:
            sys.stdout.write(json.dumps(record) + "\n")
            sys.stdout.flush()


def end_with(events: Events, error: BaseException | None) -> None:
    """Report what went wrong and end the process, from any thread."""
    if isinstance(error, NotImplementedInEmulator):
        events("not-implemented", {"text": readable(str(error))})
        os._exit(NOT_IMPLEMENTED)
    events("crash", {"text": "".join(traceback.format_exception(error))})
    os._exit(CRASH)


def carry_out(router: Router, order: Mapping[str, Any], events: Events) -> None:
    """Carry out one order of the lab."""
    acts: Mapping[str, Callable[[], object]] = {
        "import": lambda: _report(events, "import-done", lambda: router.run_import(_read(order["file"]))),
        "run": lambda: _report(events, "run-done", lambda: render(router.run_script(order["source"]))),
        "message": lambda: router.inject(order["topic"], order["payload"].encode()),
        "drop-mqtt": router.cut_mqtt,
    }
    acts[order["do"]]()


def _report(events: Events, done: str, act: Callable[[], str | None]) -> None:
    try:
        result = act()
    except ScriptError as error:
        events(done, {"ok": False, "error": readable(str(error))})
    else:
        events(done, {"ok": True, "error": "", **({} if result is None else {"result": readable(result)})})


def _read(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise NotImplementedInEmulator(f"{path}: a script that is not UTF-8") from None


def serve(router: Router, events: Events) -> None:
    """Carry out orders until `stop` or the end of stdin."""
    events("ready", {"version": router.site.version, "interface": router.site.interface})
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "stop":
            break
        carry_out(router, order, events)
    router.close()


def main() -> int:
    """Run a site; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lab.routeros.site", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--interface", required=True, help="the site's WireGuard device")
    parser.add_argument("--name", required=True, help="the site's name in its events")
    parser.add_argument("--version", required=True, help="RouterOS's version, such as 7.20.8")
    parser.add_argument(
        "--files", type=Path, default=Path(), help="represents the router's files (default: the current directory)"
    )
    parser.add_argument("--switch", action="append", default=[], help="NAME=VALUE, see switches.py")
    options = parser.parse_args()
    events = Events(options.name)
    try:
        switches = parse_switches(options.switch)
    except ValueError as error:
        parser.error(str(error))
    threading.excepthook = lambda failure: end_with(events, failure.exc_value)
    try:
        site = Site(options.name, options.interface, options.version, options.files)
        serve(Router(site, switches, events, real_surroundings(options.interface)), events)
    except Exception as error:  # noqa: BLE001 - the lab must learn of any failure
        end_with(events, error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
