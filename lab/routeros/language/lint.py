"""Stricter rules for generated scripts than RouterOS has: nothing that it accepts and then treats unexpectedly."""

from lab.routeros.language.errors import ScriptSyntaxError
from lab.routeros.language.interpreter import check
from lab.routeros.language.syntax import Program


def lint(source: str, version: str, absent: frozenset[str] = frozenset(), scope: str = "script") -> Program:
    """Return the program if a generated script may be this text.

    Rejected are, beyond what RouterOS rejects: unknown commands and missing arguments, which RouterOS reports only when
    they are reached; a function that reads a local variable around it, which is always nothing; a statement that begins
    with `[$` or `[:parse`; text after a closing brace that has no opening one, which is ignored.

    Raises:
        ScriptSyntaxError: the text breaks a rule.
        NotImplementedInEmulator: it is not known whether RouterOS would compile it.
    """
    program = check(source, version, absent, scope)
    for error in program.late.values():
        raise ScriptSyntaxError(str(error), placed=True) from error
    for risk in program.risks:
        raise ScriptSyntaxError(f"{risk.rule}: {risk.message} (line {program.line_of(risk.start)})", placed=True)
    return program
