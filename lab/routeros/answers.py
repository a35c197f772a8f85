"""Compare a router's answers (`wgmqtt gen-rsc ROUTER --acceptance`) with what the emulator assumes.

An answer may settle the position of a switch. Questions about the language are asked in the emulator again.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lab.routeros.switches import Switches

Group = Mapping[str, str]
ANSWERED_MS = 15  # a reply that ends a ping of 20 ms earlier
SECOND_MS = 500


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one router, by group and name."""

    version: str
    groups: Mapping[str, Group]

    def of(self, group: str, name: str) -> str:
        """Return one answer; empty if there is none."""
        return self.groups.get(group, {}).get(name, "")


def parse_answers(text: str) -> Answers:
    """Return the answers in the last line of `text` that is a JSON object.

    Raises:
        ValueError: there is none, or it holds something else.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("{")]
    if not lines:
        raise ValueError("no line with a JSON object")
    body = json.loads(lines[-1])
    groups = {
        str(group): {str(name): str(value) for name, value in answers.items()}
        for group, answers in body.items()
        if isinstance(answers, dict)
    }
    if "router" not in groups:
        raise ValueError("no answers about the router")
    version = groups["router"].get("version", "").partition(" ")[0]
    return Answers(version, groups)


def settled(answers: Answers) -> dict[str, str]:
    """Return the positions of the switches that the answers settle."""
    found = {
        "get_gives": {"ip": "ip", "ip6": "ip", "str": "str"}.get(answers.of("router", "type endpoint-address"), ""),
        "iot_listed_not_installed": _iot_listed(answers),
        "ping_lasts": _ping_lasts(answers),
        "odd_values": _odd_values(answers.of("json", "<1.5>")),
        "empty_array": {"array": "array", "str": "text"}.get(answers.of("json", "<[]>").partition(" ")[0], ""),
        "imported_name": _imported_name(answers),
        "same_endpoint_disturbs": _disturbs(answers),
        "same_endpoint_ignored": _ignored(answers),
    }
    return {name: position for name, position in found.items() if position}


def open_switches(answers: Answers) -> list[str]:
    """Return the switches that the answers leave open."""
    return [name for name in Switches.__dataclass_fields__ if name not in settled(answers)]


def differences(answers: Answers, ask: Callable[[str], str]) -> Iterator[str]:
    """Yield a line for each answer about the language that differs from the emulator's; `ask` runs an expression."""
    for group, name, expression in _questions(answers):
        router, emulator = answers.of(group, name), ask(expression)
        if _comparable(router) != _comparable(emulator):
            yield f"{group} {name}: the router answers {router!r}, the emulator {emulator!r}"


def _questions(answers: Answers) -> Iterator[tuple[str, str, str]]:
    forms = {
        "json": "[:deserialize from=json value={} options=json.no-string-conversion]",
        "ip": "[:toip {}]",
        "ip6": "[:toip6 {}]",
    }
    for group, form in forms.items():
        for name in answers.groups.get(group, {}):
            value = form.replace("{}", quoted(name[1:-1]))
            yield group, name, f'([:typeof {value}] . " " . [:tostr {value}])'
    for name in answers.groups.get("language", {}):
        yield "language", name, name


def quoted(text: str) -> str:
    """Return a text as a string literal of RouterOS."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _comparable(answer: str) -> str:
    return "error" if answer.startswith("error") else answer.strip()


def _milliseconds(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return (int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1e3


def _ping_lasts(answers: Answers) -> str:
    texts = answers.of("router", "ping unanswered"), answers.of("router", "ping hub")
    if not all(text.count(":") == 2 for text in texts):
        return ""
    unanswered, hub = map(_milliseconds, texts)
    if unanswered >= SECOND_MS:
        return "second"
    return "answer" if hub < ANSWERED_MS else ""  # a hub that is far away needs the whole interval, too


def _odd_values(answer: str) -> str:
    kind = answer.partition(" ")[0]
    return {"error": "refuse", "str": "text", "num": "number"}.get(kind, "")


def _iot_listed(answers: Answers) -> str:
    if answers.of("router", "iot enabled") != "0":
        return ""
    return "yes" if answers.of("router", "iot listed") not in ("", "0") else "no"


def _imported_name(answers: Answers) -> str:
    if answers.of("router", "certificates") in ("", "0"):
        return ""
    return "plain" if answers.of("router", "numbered certificates") == "0" else "numbered"


def _disturbs(answers: Answers) -> str:
    before, after = (answers.of("router", f"live {when}").rpartition(" ")[2] for when in ("before", "after"))
    if not (before.isdecimal() and after.isdecimal()):
        return ""
    return "yes" if int(after) < int(before) else "no"


def _ignored(answers: Answers) -> str:
    before, after = (answers.of("router", f"live port {when}").split(" ") for when in ("before", "after"))
    if len(before) != 2 or len(after) != 2 or before[0] == before[1]:
        return ""  # only a peer that has roamed can tell
    return "no" if after[0] == after[1] else "yes"
