"""What an attack is, and what it found."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one attack: what was measured, and whether the defence held."""

    is_held: bool
    measured: str


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack program.

    `run` takes a factor for all bounds of time, 1 on a quiet machine: a busy one delays attack and defence alike.
    """

    name: str
    attacker: str
    bound: str
    run: Callable[[float], Verdict]
