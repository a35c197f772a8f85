"""The one family of errors: where, what was allowed, what was given, and a hint. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in the parts a person needs to mend it.

    `where` is a place: `config.yaml:12:5`, a topic, an interface. `given` is never a secret. `excerpt` is printed
    beneath: the line of the file, with a caret under the place.
    """

    where: str
    what: str
    allowed: str = ""
    given: str = ""
    hint: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.given:
            parts.append(f"given: {self.given}")
        text = "; ".join(parts)
        if self.hint:
            text = f"{text} ({self.hint})"
        return f"{text}\n{self.excerpt}" if self.excerpt else text


class WgmqttError(Exception):
    """A failure that was foreseen. The command line prints it and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class ConfigError(WgmqttError):
    """The configuration cannot be used. Exit status 78 is EX_CONFIG of sysexits.h(3)."""

    exit_code = 78


class WireError(WgmqttError):
    """A message from the broker that the contract does not allow."""


class DecodeError(WgmqttError):
    """An answer of WireGuard (netlink or its user-space socket) that cannot be read."""


class RscError(WgmqttError):
    """A RouterOS script that cannot be written safely."""


class EdgeError(WgmqttError):
    """An outside part (kernel, socket, broker, file) refused, in a way that a person has to mend."""
