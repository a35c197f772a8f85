"""The statements of a program, run in a world. Pure but for what the world does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from routeros_lsp.syntax.ast import Brace, Element, Named, Statement, Subst, Word

from lab.routeros.language.call import Call, World
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, UndecidedError
from lab.routeros.language.expressions import Body, Expressions
from lab.routeros.language.resolve import Action, GlobalCommand, Invocation, MenuCommand, Path, resolve
from lab.routeros.language.schema import property_names
from lab.routeros.language.scope import Scope
from lab.routeros.language.values import Code, Nothing, Op, Value, render, typeof
from lab.routeros.language.where import Condition

_LOG_TOPICS = frozenset({"debug", "error", "info", "warning"})


class ReturnSignal(Exception):  # noqa: N818 - how `:return` leaves its function; no error, and nothing catches it as one
    """`:return value`, on its way to the function or the `[ ]` that asked."""

    def __init__(self, value: Value) -> None:
        super().__init__("return")
        self.value = value


@dataclass(frozen=True, slots=True)
class Frame:
    """One command at work: its arguments, and the scope it runs in."""

    run: "Run"
    scope: Scope
    arguments: Mapping[str, Element | None]

    def value(self, name: str) -> Value:
        """Return an argument's value; `Nothing()` if it is not given."""
        element = self.arguments.get(name)
        return Nothing() if element is None else self.run.value(element, self.scope)

    def only(self, *names: str) -> None:
        """Refuse any argument beside these."""
        for name in self.arguments:
            if name not in names:
                raise NotImplementedInEmulator(f"the argument {name}")

    def block(self, name: str, scope: Scope | None = None) -> Value:
        """Run a `{ }` argument in a scope of its own; give nothing if it is not there."""
        element = self.arguments.get(name)
        if element is None:
            return Nothing()
        if not isinstance(element, Brace):
            raise NotImplementedInEmulator(f"{name}= that is no block")
        return self.run.statements(element.body, scope or self.scope.child())


Command = Callable[[Frame], Value]
Step = Callable[["Run", Scope], Value]  # one statement, ready to be run
Prepare = Callable[["Run", Mapping[str, Element | None]], Step | None]  # makes it of a command's arguments, if it can


@dataclass(frozen=True, slots=True)
class Run(Expressions):
    """One program in a world, with the commands it may use."""

    world: World
    commands: Mapping[str, Command]
    prepare: Mapping[str, Prepare]

    def statements(self, statements: Iterable[Statement], scope: Scope) -> Value:
        """Run statements in one scope; return what the last gave."""
        value: Value = Nothing()
        for statement in statements:
            step = self.program.steps.get(statement)
            try:
                if step is None:
                    step = self.program.steps[statement] = self._step(resolve(statement, self.program))
                value = step(self, scope)
            except ScriptError as error:
                if error.placed:
                    raise
                name = _name(resolve(statement, self.program))
                text = f"{error} ({name}; line {self.program.line_of(statement.start)})" if name else str(error)
                raise ScriptError(text, placed=bool(name)) from error
        return value

    def _step(self, action: Action) -> Step:
        match action:
            case GlobalCommand(name, arguments):
                if name not in self.commands:
                    raise NotImplementedInEmulator(f":{name}")
                command = self.commands[name]
                prepared = self.prepare[name](self, arguments) if name in self.prepare else None
                return prepared or (lambda run, scope: command(Frame(run, scope, arguments)))
            case MenuCommand():
                return lambda run, scope: run._menu(action, scope)  # noqa: SLF001 - of this class
            case Invocation(name, given):
                return lambda run, scope: run._invoke(name, given, scope)  # noqa: SLF001 - of this class
            case _:
                return lambda run, scope: run._path(action, scope)  # noqa: SLF001 - of this class

    def _path(self, path: Path, scope: Scope) -> Value:
        for element in path.inside:
            if isinstance(element, Brace):
                self.statements(element.body, scope.child())
            elif isinstance(element, Subst):
                self.substitution(element, scope)
            else:
                raise NotImplementedInEmulator("this after a path")
        return Nothing()

    def _menu(self, command: MenuCommand, scope: Scope) -> Value:
        unnamed = tuple(self.value(element, scope) for element in command.unnamed)
        named = {name: "" if e is None else self.value(e, scope) for name, e in command.named.items()}
        if command.menu == "/log" and command.verb in _LOG_TOPICS:
            messages = (*unnamed, *named.values())
            self.world.log(command.verb, render(messages[0]))
            return Nothing()
        where = None
        if command.where is not None:
            reserved = property_names(self.program.schema, command.menu)
            where = Condition(command.where, lambda element: self.value(element, scope), reserved).holds
        call = Call(command.menu, command.verb, unnamed, named, command.flags, where)
        return self.world.menu(command.menu).call(call)

    def _invoke(self, name: str, arguments: tuple[Element, ...], scope: Scope) -> Value:
        function = scope.read(name)
        if not isinstance(function, Code):
            raise NotImplementedInEmulator(f"calling ${name}, which is {typeof(function)}")
        locals_: dict[str, Value] = {"0": f"${name}"}
        position = 0
        for argument in arguments:
            if isinstance(argument, Named):
                key = argument.name.text if isinstance(argument.name, Word) else argument.name.value
                locals_[key] = "" if argument.value is None else self.value(argument.value, scope)
            else:
                position += 1
                locals_[str(position)] = self.value(argument, scope)
        return self.call(function, locals_, scope)

    def call(self, function: Code | Op, locals_: Mapping[str, Value], scope: Scope) -> Value:
        """Run a function; it sees its arguments only. A function that returns nothing gives `Nothing()`."""
        body = function.body
        assert isinstance(body, Body)
        try:
            Run(body.program, self.world, self.commands, self.prepare).statements(body.statements, scope.apart(locals_))
        except ReturnSignal as signal:
            return signal.value
        return Nothing()

    def decide(self, error: UndecidedError) -> Value:
        """Return the guess at what RouterOS does, or raise, as the world decides."""
        if self.world.odd_values == "stop":
            raise error
        if self.world.odd_values == "refuse":
            raise ScriptError(f"cannot compute {error.what}") from error
        return cast("Value", error.guess)

    def substitution(self, subst: Subst, scope: Scope) -> Value:
        """Return what `[command]` gives."""
        if len(subst.body) != 1:
            raise NotImplementedInEmulator(f"[ ] around {len(subst.body)} commands")
        try:
            return self.statements(subst.body, scope)
        except ReturnSignal as signal:
            return signal.value


def _name(action: Action) -> str:
    match action:
        case GlobalCommand(name, _):
            return f":{name}"
        case MenuCommand(menu, verb):
            return f"{menu}/{verb}"
        case _:
            return ""
