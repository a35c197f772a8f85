"""Run or check a RouterOS script.

Sources for what RouterOS does, the most trusted first: the measured rows (data/device-measured.json); routeros-lsp,
whose rules were measured with `/import dry-run`; MikroTik's manual, page "Scripting"; the reference that tarikin
published on GitHub, tested on RouterOS 7.21. Where none of them answers, the emulator stops.
"""

from collections.abc import Mapping
from typing import Literal

from lab.routeros.language.call import World
from lab.routeros.language.evaluate import Run
from lab.routeros.language.runner import ReturnSignal, prepared
from lab.routeros.language.schema import schema_for
from lab.routeros.language.scope import Scope
from lab.routeros.language.syntax import Program, compile_script, decode_source
from lab.routeros.language.values import Nothing, Value

_NO_LOCALS: Mapping[str, Value] = {}


def check(source: str, version: str, absent: frozenset[str] = frozenset(), scope: str = "script") -> Program:
    """Return the program if RouterOS would compile the whole text.

    Raises:
        ScriptSyntaxError: RouterOS would reject it.
        NotImplementedInEmulator: it is not known whether RouterOS would.
    """
    program = compile_script(decode_source(source), schema_for(version, absent), scope)
    for line in program.lines:
        if line.refusal is not None:
            raise line.refusal
    return program


def run(
    source: str,
    world: World,
    *,
    locals: Mapping[str, Value] = _NO_LOCALS,  # noqa: A002 - the word of the language
    scope: Literal["import", "script"] = "script",
    absent: frozenset[str] = frozenset(),
) -> Value:
    """Run a script; return the value of a top-level `:return`, or else `Nothing()`.

    `locals` are declared before it starts (a handler's msgData and msgTopic; strings with one character per byte). In
    an import, every top-level line is its own scope, and a syntax error stops the script at its line. `absent` lists
    menus that do not exist because a package is not installed (`/iot`): using them is a syntax error.

    Raises:
        ScriptSyntaxError: RouterOS rejects the text and runs no part of it (an import: not that line and the rest).
        ScriptError: RouterOS stops the script with this error.
        NotImplementedInEmulator: the script needs something that the emulator does not implement.
    """
    program = compile_script(decode_source(source), schema_for(world.version, absent), scope)
    evaluator = Run.of(prepared(program), world)
    try:
        for line in program.lines:
            if line.refusal is not None:
                raise line.refusal
            top = Scope(world.globals, None, locals, is_import=scope == "import")
            evaluator.statements(line.statements, top)
    except ReturnSignal as signal:
        return signal.value
    return Nothing()
