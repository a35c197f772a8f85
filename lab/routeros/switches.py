"""Switches for the behaviour of RouterOS that is not known; the scripts must work in every position of each."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from lab.routeros.language.call import OddValues, Unknowns


@dataclass(frozen=True, slots=True)
class Switches:
    """One position of each switch.

    Attributes:
        same_endpoint_disturbs: setting a peer to the endpoint that it already has drops the session.
        same_endpoint_ignored: setting a peer to the endpoint that is already configured does not reach WireGuard, so a
            peer that roamed keeps its current endpoint.
        get_gives: the type of an endpoint's address in get, find and print.
        hook_permissions: what an on-message script may do. `no-test`: /tool/ping fails; `refuse-hook`: a script that
            contains /tool/ping is not run at all.
        hook_globals: `shared`: a handler sees the global variables that earlier handlers set; `own`: it does not.
        iot_listed_not_installed: the package iot is not installed, and /system/package lists it as available.
        ping_lasts: how long a ping of one packet takes. `answer`: until the reply, at most the interval;
            `interval`: always the whole interval; `second`: a whole second if there is no reply.
        imported_name: the name that `/certificate/import name=NAME` gives to the first certificate of a file: NAME_0
            (`numbered`) or NAME (`plain`).
        odd_values: the result of JSON's null, of fractions, of incomplete addresses (see call.py).
        nil_condition: what `:if` does with a condition that is nil: it runs `neither` branch, `else`, or fails.
        empty_array: the type of JSON's `[]`: an array, or an empty text.
        bracket_statement: a statement `[…]` in a block is executed `alone`, or it `continues` the statements before it:
            they are then a part of the brackets, so that a `:return` in them leaves only the brackets.
    """

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


_CHOICES: Mapping[str, Mapping[str, object]] = {
    "same_endpoint_disturbs": {"yes": True, "no": False},
    "same_endpoint_ignored": {"yes": True, "no": False},
    "get_gives": {"ip": "ip", "str": "str"},
    "hook_permissions": {"all": "all", "no-test": "no-test", "refuse-hook": "refuse-hook"},
    "hook_globals": {"own": "own", "shared": "shared"},
    "iot_listed_not_installed": {"yes": True, "no": False},
    "ping_lasts": {"answer": "answer", "interval": "interval", "second": "second"},
    "imported_name": {"numbered": "numbered", "plain": "plain"},
    "odd_values": {name: name for name in get_args(OddValues)},
    "nil_condition": {"neither": "neither", "else": "else", "error": "error"},
    "empty_array": {"array": "array", "text": "text"},
    "bracket_statement": {"alone": "alone", "continues": "continues"},
}


def parse_switches(texts: list[str]) -> Switches:
    """Return the switches that texts such as `get_gives=str` and `same_endpoint_disturbs=yes` describe.

    Raises:
        ValueError: there is no such switch or no such position; the message lists those that exist.
    """
    switches = Switches()
    assert set(_CHOICES) == {field.name for field in fields(Switches)}
    for text in texts:
        name, _, position = text.partition("=")
        position = {"true": "yes", "false": "no"}.get(position.lower(), position)
        if name not in _CHOICES:
            raise ValueError(f"unknown switch {name!r}; there are {', '.join(_CHOICES)}")
        if position not in _CHOICES[name]:
            raise ValueError(f"{name}: expected one of {', '.join(_CHOICES[name])}, got {position!r}")
        switches = replace(switches, **{name: _CHOICES[name][position]})  # type: ignore[arg-type]
    return switches
