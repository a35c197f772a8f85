"""Mutations: defects that a router's script could have, as replacements in its text."""

from collections.abc import Sequence
from dataclasses import dataclass

from wgmqtt.errors import Problem, WgmqttError
from wgmqtt.script.render import quote_lines

INDENT = "    "  # of the handler's lines inside the emitted string


class UnmatchedError(WgmqttError):
    """The script does not contain the text that a mutation replaces: the table of mutations is out of date."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A replacement of one text, which the script must contain exactly once.

    Text of the handler is given as in `routeros/handler.rsc`. In the script it is part of a quoted string.
    """

    old: str
    new: str
    is_handler: bool = True

    def apply(self, script: str) -> str:
        """Return the changed script; raise UnmatchedError if the old text is not there exactly once."""
        old, new = (in_script(self.old), in_script(self.new)) if self.is_handler else (self.old, self.new)
        found = script.count(old)
        if found != 1 or old == new:
            raise UnmatchedError(Problem("mutation", f"the script contains its text {found} times", "once", self.old))
        return script.replace(old, new)


@dataclass(frozen=True, slots=True)
class Mutation:
    """A defect, and the check that should notice it. The other checks run if that one does not."""

    name: str
    noticed_by: str
    replacements: Sequence[Replacement]

    def apply(self, script: str) -> str:
        """Return the script with the defect; raise UnmatchedError if it does not fit."""
        for replacement in self.replacements:
            script = replacement.apply(script)
        return script


def in_script(handler_text: str) -> str:
    """Return a part of the handler as quoted in the emitted script."""
    return quote_lines(handler_text, INDENT)[1:-1]


def handler(name: str, noticed_by: str, *old_and_new: str) -> Mutation:
    """Return a mutation of the handler: an old text, its replacement, and so on for further places."""
    pairs = zip(old_and_new[::2], old_and_new[1::2], strict=True)
    return Mutation(name, noticed_by, tuple(Replacement(old, new) for old, new in pairs))


def install(name: str, noticed_by: str, old: str, new: str) -> Mutation:
    """Return a mutation of the installer around the handler."""
    return Mutation(name, noticed_by, (Replacement(old, new, is_handler=False),))
