"""Switches for the behaviour of RouterOS that is not known; the scripts must work in every position of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lab.routeros.language.call import OddValues, Unknowns


@dataclass(frozen=True, slots=True)
class Switches:
    """One position of each switch; the table SWITCHES describes them."""

    same_endpoint_disturbs: bool = False
    same_endpoint_ignored: bool = False
    get_gives: Literal["ip", "str"] = "ip"
    hook_permissions: Literal["all", "no-test", "refuse-hook"] = "all"
    hook_globals: Literal["own", "shared"] = "own"
    iot_listed_not_installed: bool = False
    ping_lasts: Literal["answer", "interval", "second"] = "answer"
    imported_name: Literal["numbered", "plain"] = "numbered"
    odd_values: OddValues = "refuse"
    nil_condition: Literal["neither", "else", "error"] = "neither"
    empty_array: Literal["array", "text"] = "array"
    bracket_statement: Literal["alone", "continues"] = "alone"

    @property
    def unknowns(self) -> Unknowns:
        """Return the switches of the language."""
        return Unknowns(self.odd_values, self.nil_condition, self.empty_array, self.bracket_statement)


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question.

    Attributes:
        unknown: what is not known of RouterOS.
        positions: the possible answers, each with its meaning.
        settled_by: the steps of docs/first-router.md that answer it on a router.
    """

    unknown: str
    positions: Mapping[str, str]
    settled_by: tuple[str, ...]


SWITCHES: Mapping[str, Switch] = {
    "same_endpoint_disturbs": Switch(
        "whether setting a peer to the endpoint that it already has drops the session",
        {"no": "the session continues", "yes": "the session is dropped"},
        ("D5",),
    ),
    "same_endpoint_ignored": Switch(
        "whether setting a peer to the endpoint that is already configured reaches WireGuard",
        {"no": "it does: a peer that roamed moves back", "yes": "it does not: the current endpoint stays"},
        ("D6",),
    ),
    "get_gives": Switch(
        "the type of an endpoint's address in get, find and print",
        {"ip": "an address", "str": "a text"},
        ("A3",),
    ),
    "hook_permissions": Switch(
        "what an on-message script may do",
        {
            "all": "everything that the handler does",
            "no-test": "/tool/ping fails",
            "refuse-hook": "a script that contains /tool/ping is not run at all",
        },
        ("D1", "D2"),
    ),
    "hook_globals": Switch(
        "whether a handler sees the global variables that earlier handlers set",
        {"own": "it does not", "shared": "it does"},
        ("D4",),
    ),
    "iot_listed_not_installed": Switch(
        "whether /system/package lists iot when it is not installed; `yes` also means that it is not installed here",
        {"no": "it is installed", "yes": "it is not installed, and listed as available"},
        ("A2",),
    ),
    "ping_lasts": Switch(
        "how long a ping of one packet takes",
        {
            "answer": "until the reply, at most the interval",
            "interval": "always the whole interval",
            "second": "a whole second if there is no reply",
        },
        ("A6",),
    ),
    "imported_name": Switch(
        "the name that `/certificate/import name=NAME` gives to the first certificate of a file",
        {"numbered": "NAME_0", "plain": "NAME"},
        ("C7",),
    ),
    "odd_values": Switch(
        "the result of JSON's null and fractions, of incomplete addresses and of other unusual values",
        {
            "stop": "the emulator stops",
            "refuse": "an error, or nil",
            "text": "a text",
            "number": "a number, an address, or nothing",
        },
        ("B1", "B2", "B3", "B4"),
    ),
    "nil_condition": Switch(
        "what `:if` does with a condition that is nil",
        {"neither": "it runs neither branch", "else": "it runs the branch else", "error": "it fails"},
        ("B8",),
    ),
    "empty_array": Switch("the type of JSON's `[]`", {"array": "an array", "text": "an empty text"}, ("B9",)),
    "bracket_statement": Switch(
        "how a statement `[$f …]` is read that is not the first of its block",
        {
            "alone": "it is a statement of its own",
            "continues": "the statements before it are a part of the brackets: a `:return` in them leaves only these",
        },
        ("B10",),
    ),
}
_BOOLS = {"yes": True, "no": False}


def parse_switches(texts: list[str]) -> Switches:
    """Return the switches that texts such as `get_gives=str` and `same_endpoint_disturbs=yes` describe.

    Raises:
        ValueError: there is no such switch or no such position; the message lists those that exist.
    """
    switches = Switches()
    for text in texts:
        name, _, position = text.partition("=")
        position = {"true": "yes", "false": "no"}.get(position.lower(), position)
        if name not in SWITCHES:
            raise ValueError(f"unknown switch {name!r}; there are {', '.join(SWITCHES)}")
        positions = SWITCHES[name].positions
        if position not in positions:
            raise ValueError(f"{name}: expected one of {', '.join(positions)}, got {position!r}")
        switches = replace(switches, **{name: _BOOLS.get(position, position)})  # type: ignore[arg-type]
    return switches


def render_switches() -> str:
    """Return the table of all switches as text: what is unknown, each position, which step settles it."""
    lines = []
    for name, switch in SWITCHES.items():
        lines.append(f"{name}: {switch.unknown} (docs/first-router.md, {', '.join(switch.settled_by)})")
        lines += [f"    {position}: {meaning}" for position, meaning in switch.positions.items()]
    return "\n".join(lines)
