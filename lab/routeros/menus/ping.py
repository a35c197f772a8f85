"""`/tool/ping` and `/ping`.

How long RouterOS waits for a reply is not documented; the switch `ping_lasts` lists the possibilities.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from lab.routeros.events import Emit
from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Ip6, Time, Value
from lab.routeros.menus.arguments import read_address, read_bool, read_number, read_span, read_text

_SECOND_NS = 1_000_000_000
_INTERVAL_NS = (10_000_000, 5 * _SECOND_NS)
_OWN = ("127.0.0.1", "::1")
_HEADERS_BYTES = {4: 28, 6: 48}
_ARGUMENTS = {"address", "count", "interval", "interface", "src-address", "size", "ttl", "do-not-fragment"}


@dataclass(frozen=True, slots=True)
class Probing:
    """What to ping and how; `options` are those of ping(8)."""

    address: str
    count: int
    interval_s: float
    options: tuple[str, ...]


Probe = Callable[[Probing], bool]  # sends one probe; returns whether there was a reply; raises ScriptError


def read_probing(call: Call) -> Probing:
    """Return the probing that a call describes; raises ScriptError."""
    named = dict(call.named)
    if len(call.unnamed) == 1 and "address" not in named:
        named["address"] = call.unnamed[0]
    elif call.unnamed:
        raise NotImplementedInEmulator(f"ping with {len(call.unnamed)} unnamed values")
    unknown = (set(named) - _ARGUMENTS) | call.flags
    if unknown:
        raise NotImplementedInEmulator(f"ping with {', '.join(sorted(unknown))}")
    if "address" not in named:
        raise ScriptError("missing value(s) of argument(s) address")
    if "count" not in named:
        raise NotImplementedInEmulator("ping without count: it never ends")
    address = read_address("address", named["address"])
    interval = read_span("interval", named.get("interval", Time(_SECOND_NS)))
    if not _INTERVAL_NS[0] <= interval.ns <= _INTERVAL_NS[1]:
        raise ScriptError("value of interval out of range (00:00:00.010..00:00:05)")
    count = read_number("count", named["count"], 1, 2**32 - 1)
    family = 6 if isinstance(address, Ip6) else 4
    return Probing(str(address), count, interval.ns / _SECOND_NS, tuple(_options(named, family)))


def _options(named: dict[str, Value], family: int) -> list[str]:
    options = [f"-{family}"]
    if "interface" in named:
        options += ["-I", read_text("interface", named["interface"])]
    if "src-address" in named:
        options += ["-I", str(read_address("src-address", named["src-address"]))]
    if "size" in named:
        header = _HEADERS_BYTES[family]
        options += ["-s", str(read_number("size", named["size"], header, 65_535) - header)]
    if "ttl" in named:
        options += ["-t", str(read_number("ttl", named["ttl"], 1, 255))]
    if read_bool("do-not-fragment", named.get("do-not-fragment", False)):
        options += ["-M", "do"]
    return options


class PingClock(Protocol):
    """Read the time and wait."""

    def now_ns(self) -> int:
        """Return Unix time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class PingMenu:
    """The menu that contains ping: `/tool`, and up to 7.22 also the root."""

    def __init__(
        self, emit: Emit, probe: Probe, clock: PingClock, lasts: Literal["answer", "interval", "second"]
    ) -> None:
        self._emit = emit
        self._send = probe
        self._clock = clock
        self._lasts = lasts

    def call(self, call: Call) -> Value:
        """Ping and return the number of replies.

        Raises:
            ScriptError: there is no route.
        """
        if call.verb != "ping":
            raise NotImplementedInEmulator(f"{call.menu}/{call.verb}")
        probing = read_probing(call)
        answers = 0
        for number in range(probing.count):
            began_ns = self._clock.now_ns()
            answered = self._probe(probing)
            answers += answered
            last = number + 1 == probing.count
            wait_s = probing.interval_s if self._lasts == "interval" or not last else 0.0
            if self._lasts == "second" and not answered:
                wait_s = max(wait_s, 1.0)
            wait_s -= (self._clock.now_ns() - began_ns) / 1e9
            if wait_s > 0:
                self._clock.sleep(wait_s)
        return answers

    def _probe(self, probing: Probing) -> bool:
        if probing.address in _OWN:
            return True  # the router itself replies
        began_ns = self._clock.now_ns()
        answered = False
        try:
            answered = self._send(probing)
        finally:
            ms = round((self._clock.now_ns() - began_ns) / 1e6, 1)
            self._emit("ping", {"address": probing.address, "ok": answered, "ms": ms})
        return answered
