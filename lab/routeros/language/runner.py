"""What commands and expressions need of a running script, and what is prepared of a program and kept between runs.

A statement or an expression is turned into a function once, when it is first reached. The functions are kept with the
program, because a handler is the same text for every message, and walking its tree would be most of the work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from routeros_lsp.syntax.ast import Brace, Element, Expr, Statement, StringLit, Subst

from lab.routeros.language.call import World
from lab.routeros.language.errors import NotImplementedInEmulator, UndecidedError
from lab.routeros.language.resolve import Action, MenuCommand, Path
from lab.routeros.language.scope import Scope
from lab.routeros.language.syntax import Program
from lab.routeros.language.values import Code, Nothing, Op, Value

NOTHING = Nothing()

# Computes a value, or executes a statement, each time it is called with a run and a scope.
Thunk = Callable[["Runner", Scope], Value]
Arguments = Mapping[str, Element | None]  # a command's arguments by name; None: given without a value
Make = Callable[[Arguments], Thunk]  # prepares a command with its arguments


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A program and the functions made from its parts so far."""

    program: Program
    actions: dict[Statement, Action] = field(default_factory=dict)
    steps: dict[Statement, Thunk] = field(default_factory=dict)
    values: dict[Element | Expr, Thunk] = field(default_factory=dict)
    operands: dict[Expr, Thunk] = field(default_factory=dict)


@lru_cache(maxsize=256)
def prepared(program: Program) -> Prepared:
    """Return what is kept of a program between its runs."""
    return Prepared(program)


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Statements with the program they belong to: the body of a `Code` or an `Op`."""

    statements: tuple[Statement, ...]
    code: Prepared


class Runner(Protocol):
    """A running script."""

    @property
    def code(self) -> Prepared:
        """The program."""
        ...

    @property
    def world(self) -> World:
        """The router that it runs on."""
        ...

    def value(self, element: Element | Expr, scope: Scope) -> Value:
        """Return the value of an argument; an unquoted word is a literal, or else a string."""
        ...

    def operand(self, expr: Expr, scope: Scope) -> Value:
        """Return the value of an expression in round brackets."""
        ...

    def string(self, literal: StringLit, scope: Scope) -> str:
        """Return a quoted string with its substitutions made."""
        ...

    def statements(self, statements: Sequence[Statement], scope: Scope) -> Value:
        """Execute statements in one scope; return what the last one returned."""
        ...

    def substitution(self, subst: Subst, scope: Scope) -> Value:
        """Return what `[command]` returns."""
        ...

    def call(self, function: Code | Op, locals_: Mapping[str, Value], scope: Scope) -> Value:
        """Run a function, which sees these variables only; return `Nothing()` if it returns no value."""
        ...

    def bracket(self, subst: Subst, scope: Scope) -> Value:
        """Execute a statement `[…]`: RouterOS also runs the value if `:parse` made it."""
        ...

    def path(self, path: Path, scope: Scope) -> Value:
        """Execute the block or the `[ ]` after a menu path."""
        ...

    def menu(self, command: MenuCommand, scope: Scope) -> Value:
        """Execute a menu's command."""
        ...

    def invoke(self, name: str, arguments: tuple[Element, ...], scope: Scope) -> Value:
        """Call the function that a variable holds."""
        ...

    def decide(self, error: UndecidedError) -> Value:
        """Return the guess at what RouterOS does, or raise, as the world's `odd_values` says."""
        ...


class ReturnSignal(Exception):  # noqa: N818 - how `:return` leaves its function; nothing catches it as an error
    """`:return value`, on its way to the caller of the function or to the enclosing `[ ]`."""

    def __init__(self, value: Value) -> None:
        super().__init__("return")
        self.value = value


def only(arguments: Arguments, *names: str) -> None:
    """Reject all other arguments."""
    for name in arguments:
        if name not in names:
            raise NotImplementedInEmulator(f"the argument {name}")


def body_of(arguments: Arguments, name: str) -> tuple[Statement, ...]:
    """Return the statements of a `{ }` argument, none if it is not given."""
    element = arguments.get(name)
    if element is None:
        return ()
    if not isinstance(element, Brace):
        raise NotImplementedInEmulator(f"{name}= that is not a block")
    return tuple(element.body)


@dataclass(frozen=True, slots=True)
class Frame:
    """One command that is being executed: its arguments and its scope."""

    run: Runner
    scope: Scope
    arguments: Arguments

    def value(self, name: str) -> Value:
        """Return an argument's value, `Nothing()` if it is not given."""
        element = self.arguments.get(name)
        return Nothing() if element is None else self.run.value(element, self.scope)

    def only(self, *names: str) -> None:
        """Reject all other arguments."""
        only(self.arguments, *names)

    def block(self, name: str, scope: Scope | None = None) -> Value:
        """Execute a `{ }` argument in a scope of its own; do nothing if it is not given."""
        return self.run.statements(body_of(self.arguments, name), scope or self.scope.child())


Command = Callable[[Frame], Value]


def framed(command: Command) -> Make:
    """Return the preparation of a command that reads its arguments each time it is executed."""
    return lambda arguments: lambda run, scope: command(Frame(run, scope, arguments))
