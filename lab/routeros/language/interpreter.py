"""The one way to run a RouterOS script: `run(source, world)`. Pure but for what the world does.

What RouterOS does is taken, in this order, from: the measured rows (data/device-measured.json); routeros-lsp,
whose rules were measured with `/import dry-run`; MikroTik's manual, page "Scripting"; the reference that tarikin
published on GitHub, tested on RouterOS 7.21. Where none of them says, the emulator stops.
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
        ScriptSyntaxError: it would not.
        NotImplementedInEmulator: nobody knows.
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
    """Run a script and return what a top-level `:return` gave, else `Nothing()`.

    `locals` are declared before it starts (a handler's msgData and msgTopic; strings with one character per byte). In
    an import, every top-level line is its own scope, and is compiled when its turn comes. `absent` names menus that
    this router lacks because a package is missing (`/iot`): their names are syntax errors.

    Raises:
        ScriptSyntaxError: RouterOS refuses the text; nothing of it (import: of that line and the rest) has run.
        ScriptError: RouterOS stops with this error.
        NotImplementedInEmulator: the script needs what the emulator lacks.
    """
    program = compile_script(decode_source(source), schema_for(world.version, absent), scope)
    evaluator = Run(prepared(program), world)
    try:
        for line in program.lines:
            if line.refusal is not None:
                raise line.refusal
            top = Scope(world.globals, None, locals, is_import=scope == "import")
            evaluator.statements(line.statements, top)
    except ReturnSignal as signal:
        return signal.value
    return Nothing()
