"""The one family of errors. Each problem says where, what, what was expected, what was found, and gives a hint."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in the parts a person needs to fix it.

    `where` is a place: `config.yaml:12:5`, a topic, an interface. `got` is never a secret. `excerpt` is printed
    below the message: the line of the file, with a caret under the place.
    """

    where: str
    what: str
    expected: str = ""
    got: str = ""
    hint: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.got:
            parts.append(f"got {self.got}")
        text = "; ".join(parts)
        if self.hint:
            text = f"{text} ({self.hint})"
        return f"{text}\n{self.excerpt}" if self.excerpt else text


class WgmqttError(Exception):
    """An expected failure. The command line prints it and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def invalid(what: str, hint: str = "") -> WgmqttError:
    """Return the error of a value whose place, and what was expected and found there, the caller knows."""
    return WgmqttError(Problem("", what, hint=hint))


class ConfigError(WgmqttError):
    """The configuration cannot be used. Exit status 78 is EX_CONFIG of sysexits.h(3)."""

    exit_code = 78


class WireError(WgmqttError):
    """A message from the broker violates the wire contract."""


class DecodeError(WgmqttError):
    """An answer from WireGuard (netlink or the userspace socket) is malformed."""


class RscError(WgmqttError):
    """A RouterOS script cannot be written safely."""


class EdgeError(WgmqttError):
    """The kernel, a socket, the broker or a file failed in a way that a person has to fix."""
