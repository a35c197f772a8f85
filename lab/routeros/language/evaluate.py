"""Execute the statements of a program in a world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

from routeros_lsp.syntax.ast import Brace, Element, Expr, Named, Statement, StringLit, Subst, Word

from lab.routeros.language import commands_flow, commands_values, commands_variables
from lab.routeros.language.call import Call, World
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, UndecidedError
from lab.routeros.language.expressions import operand_thunk, value_thunk
from lab.routeros.language.literals import read_literal
from lab.routeros.language.resolve import (
    Action,
    Bracket,
    Failure,
    GlobalCommand,
    Invocation,
    MenuCommand,
    Path,
    is_bracket,
    resolve,
)
from lab.routeros.language.runner import Body, Make, Prepared, ReturnSignal, Thunk
from lab.routeros.language.schema import property_names
from lab.routeros.language.scope import Scope
from lab.routeros.language.values import Code, Nothing, Op, Value, render, typeof
from lab.routeros.language.where import Condition

_COMMANDS: Mapping[str, Make] = {
    **commands_flow.COMMANDS,
    **commands_values.COMMANDS,
    **commands_variables.COMMANDS,
}
_LOG_TOPICS = frozenset({"debug", "error", "info", "warning"})


@dataclass(frozen=True, slots=True)
class Run:
    """One program in a world."""

    code: Prepared
    world: World
    continues: bool = False  # a statement `[…]` continues those before it

    @classmethod
    def of(cls, code: Prepared, world: World) -> Self:
        """Return a run of this program in this world."""
        return cls(code, world, world.unknowns.bracket_statement == "continues")

    # Values

    def value(self, element: Element | Expr, scope: Scope) -> Value:
        """Return the value of an argument; an unquoted word is a literal, or else a string."""
        if isinstance(element, Word):
            return read_literal(element.text)
        thunk = self.code.values.get(element)
        if thunk is None:
            thunk = self.code.values[element] = value_thunk(element)
        return thunk(self, scope)

    def operand(self, expr: Expr, scope: Scope) -> Value:
        """Return the value of an expression in round brackets."""
        thunk = self.code.operands.get(expr)
        if thunk is None:
            thunk = self.code.operands[expr] = operand_thunk(expr)
        return thunk(self, scope)

    def string(self, literal: StringLit, scope: Scope) -> str:
        """Return a quoted string with its substitutions made."""
        return render(self.value(literal, scope))

    def substitution(self, subst: Subst, scope: Scope) -> Value:
        """Return what `[command]` returns."""
        if len(subst.body) != 1:
            raise NotImplementedInEmulator(f"[ ] around {len(subst.body)} commands")
        try:
            return self.statements(subst.body, scope)
        except ReturnSignal as signal:
            return signal.value

    def call(self, function: Code | Op, locals_: Mapping[str, Value], scope: Scope) -> Value:
        """Run a function, which sees these variables only; return `Nothing()` if it returns no value."""
        body = function.body
        assert isinstance(body, Body)
        try:
            Run(body.code, self.world, self.continues).statements(body.statements, scope.apart(locals_))
        except ReturnSignal as signal:
            return signal.value
        return Nothing()

    def decide(self, error: UndecidedError) -> Value:
        """Return the guess at what RouterOS does, or raise, as the world's `odd_values` says."""
        if self.world.unknowns.odd_values == "stop":
            raise error
        if self.world.unknowns.odd_values == "refuse":
            raise ScriptError(f"cannot compute {error.what}") from error
        return cast("Value", error.guess)

    # Statements

    def statements(self, statements: Sequence[Statement], scope: Scope) -> Value:
        """Execute statements in one scope; return what the last one returned."""
        if self.continues:
            brackets = [index for index, statement in enumerate(statements) if is_bracket(statement)]
            if brackets and brackets[-1] > 0:
                return self._continued(statements, brackets[-1], scope)
        value: Value = Nothing()
        for statement in statements:
            step = self.code.steps.get(statement)
            try:
                if step is None:
                    step = self.code.steps[statement] = _step(self._action(statement))
                value = step(self, scope)
            except ScriptError as error:
                if error.placed:
                    raise
                name = _name(self._action(statement))
                line = self.code.program.line_of(statement.start)
                text = f"{error} ({name}; line {line})" if name else str(error)
                raise ScriptError(text, placed=bool(name)) from error
        return value

    def _continued(self, statements: Sequence[Statement], bracket: int, scope: Scope) -> Value:
        """Execute statements of which RouterOS has put those before a bracket into the brackets."""
        try:
            self.statements(statements[:bracket], scope)
            self.statements(statements[bracket : bracket + 1], scope)
        except ReturnSignal as signal:
            self._activate(signal.value, scope)
        return self.statements(statements[bracket + 1 :], scope)

    def _action(self, statement: Statement) -> Action:
        action = self.code.actions.get(statement)
        if action is None:
            action = self.code.actions[statement] = resolve(statement, self.code.program)
        return action

    def bracket(self, subst: Subst, scope: Scope) -> Value:
        """Execute a statement `[…]`: RouterOS also runs the value if `:parse` made it."""
        return self._activate(self.substitution(subst, scope), scope)

    def _activate(self, value: Value, scope: Scope) -> Value:
        if isinstance(value, Code) and value.parsed:
            return self.call(value, {}, scope)
        if isinstance(value, Code | Op):
            raise NotImplementedInEmulator(f"a statement [ ] whose value is a function ({typeof(value)})")
        return value

    def path(self, path: Path, scope: Scope) -> Value:
        """Execute the block or the `[ ]` after a menu path."""
        for element in path.inside:
            if isinstance(element, Brace):
                self.statements(element.body, scope.child())
            elif isinstance(element, Subst):
                self.substitution(element, scope)
            else:
                raise NotImplementedInEmulator("this after a path")
        return Nothing()

    def menu(self, command: MenuCommand, scope: Scope) -> Value:
        """Execute a menu's command."""
        unnamed = tuple(self.value(element, scope) for element in command.unnamed)
        named = {name: "" if e is None else self.value(e, scope) for name, e in command.named.items()}
        if command.menu == "/log" and command.verb in _LOG_TOPICS:
            messages = (*unnamed, *named.values())
            self.world.log(command.verb, render(messages[0]))
            return Nothing()
        where = None
        if command.where is not None:
            reserved = property_names(self.code.program.schema, command.menu)
            where = Condition(command.where, lambda element: self.value(element, scope), reserved).holds
        call = Call(command.menu, command.verb, unnamed, named, command.flags, where)
        return self.world.menu(command.menu).call(call)

    def invoke(self, name: str, arguments: tuple[Element, ...], scope: Scope) -> Value:
        """Call the function that a variable holds."""
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


def _step(action: Action) -> Thunk:
    match action:
        case GlobalCommand(name, arguments):
            if name not in _COMMANDS:
                raise NotImplementedInEmulator(f":{name}")
            return _COMMANDS[name](arguments)
        case MenuCommand():
            return lambda run, scope: run.menu(action, scope)
        case Invocation(name, given):
            return lambda run, scope: run.invoke(name, given, scope)
        case Bracket(subst):
            return lambda run, scope: run.bracket(subst, scope)
        case Failure(error):
            return lambda *_: _fail(error)
        case _:
            return lambda run, scope: run.path(action, scope)


def _fail(error: ScriptError) -> Value:
    raise error


def _name(action: Action) -> str:
    match action:
        case GlobalCommand(name, _):
            return f":{name}"
        case MenuCommand(menu, verb):
            return f"{menu}/{verb}"
        case _:
            return ""
