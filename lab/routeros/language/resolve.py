"""Find out what a statement does: a block, a call of a function, a global command, or a command of a menu.

The names were checked before (syntax.py). They are looked up again here, without abbreviations.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from routeros_lsp.schema.schema import NodeInfo, match_name
from routeros_lsp.syntax.ast import Brace, Element, Named, Operator, Statement, Subst, Variable, Word

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.findings import SPACED_ARGUMENTS
from lab.routeros.language.schema import is_listed
from lab.routeros.language.syntax import Program

_CONVERSIONS = ("toarray", "tobool", "toid", "toip", "toip6", "tonsec", "tonum", "tostr", "totime")
_ONE_VALUE = ("convert", "deserialize", "len", "parse", "return", "serialize", "typeof", *_CONVERSIONS)
# The arguments that a command's unnamed values fill, in order (MikroTik's manual, "Scripting", Global commands).
_UNNAMED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_ONE_VALUE, ("value",)),
    "delay": ("delay-time",),
    "do": ("command",),
    "error": ("message",),
    "find": ("in", "key", "from"),
    "for": ("counter",),
    "foreach": ("counter",),
    "global": ("name", "value"),
    "if": ("condition",),
    "local": ("name", "value"),
    "onerror": ("error", "in", "do"),
    "pick": ("counter", "begin", "end"),
    "put": ("message",),
    "range": ("from", "to"),
    "retry": ("command",),
    "set": ("name", "value"),
    "while": ("condition",),
}


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A menu path without a command, or with a block or `[ ]` after it."""

    inside: tuple[Element, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Invocation:
    """`$name value key=value`: the call of a function."""

    name: str
    arguments: tuple[Element, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GlobalCommand:
    """`:name …` with its arguments by name. None is an argument without a value (`else=`)."""

    name: str
    arguments: Mapping[str, Element | None]


@dataclass(frozen=True, slots=True, eq=False)
class MenuCommand:
    """`/menu/verb …`. `where` holds the elements after the word `where`, or all of `find`'s; None if there are none."""

    menu: str
    verb: str
    unnamed: tuple[Element, ...]
    named: Mapping[str, Element | None]
    flags: frozenset[str]
    where: tuple[Element, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Bracket:
    """A statement that is only `[command]`."""

    subst: Subst


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """A statement that causes this error when it is reached."""

    error: ScriptError


Action = Path | Invocation | GlobalCommand | MenuCommand | Bracket | Failure


def resolve(statement: Statement, program: Program) -> Action:
    """Return what the statement does.

    Raises:
        NotImplementedInEmulator: RouterOS accepts the line, and the emulator does not know what it does.
    """
    if statement in program.late:
        return Failure(program.late[statement])
    elements = statement.elements
    head = elements[0] if elements else None
    if isinstance(head, Variable):
        return Invocation(head.name, tuple(elements[1:]))
    if is_bracket(statement):
        assert isinstance(head, Subst)
        return Bracket(head)
    if head is None or (statement.prefix is None and isinstance(head, Brace | Subst)):
        return Path(tuple(elements))
    context = () if statement.prefix else program.commands.contexts.get(statement)
    if context is None:
        raise NotImplementedInEmulator(f"a relative path: {_text(statement, program)}")
    return _from_root(statement, program, context)


def is_bracket(statement: Statement) -> bool:
    """Return whether a statement is only `[command]`."""
    return statement.prefix is None and len(statement.elements) == 1 and isinstance(statement.elements[0], Subst)


def _text(statement: Statement, program: Program) -> str:
    return program.text[statement.start : statement.end][:80]


def _from_root(statement: Statement, program: Program, context: tuple[str, ...]) -> Action:
    node: NodeInfo = program.schema.root
    for name in context:
        node = node["c"][name]
    path = context
    for index, part in enumerate(statement.elements):
        if not isinstance(part, Word):
            if index == 0 or not isinstance(part, Brace | Subst):
                raise NotImplementedInEmulator(f"a line that starts like this: {_text(statement, program)}")
            return Path(tuple(statement.elements[index:]))
        for name in part.text.split("/"):
            if name not in node.get("c", {}):
                raise NotImplementedInEmulator(
                    f"{name}, not the full name of a command here: {_text(statement, program)}"
                )
            node = node["c"][name]
            path = (*path, name)
        if node.get("k"):
            return _command(path, node, tuple(statement.elements[index + 1 :]))
    return Path(())


def _command(path: tuple[str, ...], node: NodeInfo, arguments: tuple[Element, ...]) -> Action:
    *parents, name = path
    menu = "/" + "/".join(parents) if parents else ""
    if not is_listed(menu, name):
        raise NotImplementedInEmulator(f"{menu}/{name}: it is not known whether this version has it")
    if menu == "" and name not in {"ping", "import"}:
        return GlobalCommand(name, _bind(name, node, arguments))
    return _menu_command(menu, name, node, arguments)


def _bind(name: str, node: NodeInfo, arguments: tuple[Element, ...]) -> Mapping[str, Element | None]:
    order = list(_UNNAMED.get(name, ()))
    bound: dict[str, Element | None] = {}
    spaced = ""
    for argument in arguments:
        if spaced:
            bound[spaced], spaced = argument, ""
            continue
        if isinstance(argument, Word) and (name, argument.text) in SPACED_ARGUMENTS:
            spaced = argument.text
            continue
        if isinstance(argument, Named):
            bound[_whole_name(argument, node)] = argument.value
            continue
        if isinstance(argument, Word) and node.get("a", {}).get(argument.text, {}).get("f"):
            bound[argument.text] = None
            continue
        open_names = [candidate for candidate in order if candidate not in bound]
        if isinstance(argument, Operator) or not open_names:
            raise NotImplementedInEmulator(f":{name} with this unnamed value")
        bound[open_names[0]] = argument
    return bound


def _whole_name(argument: Named, node: NodeInfo) -> str:
    name = argument.name.text if isinstance(argument.name, Word) else argument.name.value
    if name not in node.get("a", {}):
        found = match_name(node.get("a"), name)
        raise NotImplementedInEmulator(f"the argument {name} (an abbreviation of {found.name or 'what?'})")
    return name


def _menu_command(menu: str, verb: str, node: NodeInfo, arguments: tuple[Element, ...]) -> MenuCommand:
    where: tuple[Element, ...] | None = None
    if verb == "find":
        has_word = bool(arguments) and isinstance(arguments[0], Word) and arguments[0].text == "where"
        return MenuCommand(menu, verb, (), {}, frozenset(), (arguments[1:] if has_word else arguments) or None)
    unnamed: list[Element] = []
    named: dict[str, Element | None] = {}
    flags: set[str] = set()
    for index, argument in enumerate(arguments):
        if isinstance(argument, Word) and argument.text == "where":
            where = arguments[index + 1 :]
            break
        if isinstance(argument, Named):
            named[_whole_name(argument, node)] = argument.value
        elif isinstance(argument, Word) and argument.text in node.get("a", {}) and verb != "get":
            flags.add(argument.text)
        elif isinstance(argument, Operator | Brace) or (isinstance(argument, Word) and argument.text[0] == "!"):
            raise NotImplementedInEmulator(f"{menu}/{verb} with this unnamed value")
        else:
            unnamed.append(argument)
    return MenuCommand(menu, verb, tuple(unnamed), named, frozenset(flags), where)
