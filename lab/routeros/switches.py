"""What is not known of RouterOS, as switches: the scripts must do right with each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from lab.routeros.language.call import OddValues


@dataclass(frozen=True, slots=True)
class Switches:
    """One answer to each open question.

    Attributes:
        same_endpoint_disturbs: a set of the identical endpoint drops the session.
        same_endpoint_ignored: a set of the identical endpoint does not reach WireGuard (a roamed peer stays away).
        get_gives: the type in which get, find and print give an endpoint's address.
        hook_permissions: what an on-message script may do. `no-test`: /tool/ping fails; `refuse-hook`: a script with
            /tool/ping in it is not run at all.
        hook_globals: whether a handler finds the global variables that handlers before it have set.
        iot_listed_not_installed: /system/package lists iot as available, and `/iot` is not there.
        ping_lasts: how long a ping of one packet takes. `answer`: until the answer, at most the interval;
            `interval`: the whole interval, answered or not; `second`: a second, unless it is answered.
        imported_name: what `/certificate/import name=NAME` calls the first certificate of a file: NAME_0 or NAME.
        odd_values: what becomes of JSON's null, of fractions, of halves of addresses (see call.py).
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
}


def parse_switches(texts: list[str]) -> Switches:
    """Return switches from texts such as `get_gives=str` and `same_endpoint_disturbs=yes`.

    Raises:
        ValueError: no such switch, or no such position; the text names those that are.
    """
    switches = Switches()
    assert set(_CHOICES) == {field.name for field in fields(Switches)}
    for text in texts:
        name, _, position = text.partition("=")
        position = {"true": "yes", "false": "no"}.get(position.lower(), position)
        if name not in _CHOICES:
            raise ValueError(f"no switch {name!r}; there are {', '.join(_CHOICES)}")
        if position not in _CHOICES[name]:
            raise ValueError(f"{name}: {position!r} is none of {', '.join(_CHOICES[name])}")
        switches = replace(switches, **{name: _CHOICES[name][position]})  # type: ignore[arg-type]
    return switches
