"""A mutation: a defect that a router's script could have, as replacements in its text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from wgmqtt.errors import Problem, WgmqttError
from wgmqtt.script.render import quote_lines

INDENT = "    "  # of the handler's lines inside the emitted string


class UnmatchedError(WgmqttError):
    """A mutation's text does not stand in the script, so it would change nothing: its row is out of date."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A text of the script that is replaced; it must stand there exactly once, and the result must be another.

    A handler's text is given as `routeros/handler.rsc` has it: in the script it is a string of many lines.
    """

    old: str
    new: str
    is_handler: bool = True

    def apply(self, script: str) -> str:
        """Return the script with it; raises UnmatchedError."""
        old, new = (in_script(self.old), in_script(self.new)) if self.is_handler else (self.old, self.new)
        found = script.count(old)
        if found != 1 or old == new:
            raise UnmatchedError(Problem("mutation", f"its text stands in the script {found} times", "once", self.old))
        return script.replace(old, new)


@dataclass(frozen=True, slots=True)
class Mutation:
    """A defect, and the check that should notice it; if that one does not, the others are asked."""

    name: str
    noticed_by: str
    replacements: Sequence[Replacement]

    def apply(self, script: str) -> str:
        """Return the spoiled script; raises UnmatchedError."""
        for replacement in self.replacements:
            script = replacement.apply(script)
        return script


def in_script(handler_text: str) -> str:
    """Return a part of the handler as it stands in the emitted script."""
    return quote_lines(handler_text, INDENT)[1:-1]


def handler(name: str, noticed_by: str, *old_and_new: str) -> Mutation:
    """Return a mutation of the handler: the old text, the new one, and so on for further places."""
    pairs = zip(old_and_new[::2], old_and_new[1::2], strict=True)
    return Mutation(name, noticed_by, tuple(Replacement(old, new) for old, new in pairs))


def install(name: str, noticed_by: str, old: str, new: str) -> Mutation:
    """Return a mutation of one place around the handler."""
    return Mutation(name, noticed_by, (Replacement(old, new, is_handler=False),))
