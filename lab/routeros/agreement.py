"""`python -m lab.routeros.agreement DIRECTORY`: compare the emulator's verdict on scripts with that of RouterOS.

The directory holds scripts `NAME.rsc`, each with what RouterOS's `:parse` answered in `NAME.rsc.vVERSION.parseil`: the
code that it made of the script, or its error. The public project tikoci/lsp-routeros-ts has such a directory.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptSyntaxError
from lab.routeros.language.interpreter import check

_ERROR = re.compile(r"[a-z][^\n;]*\(line \d+ column \d+\)\s*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One script: RouterOS's error and the emulator's; an empty text means that the script is accepted."""

    name: str
    routeros: str
    emulator: str

    @property
    def agrees(self) -> bool:
        """Return whether both accept or both reject the script."""
        return bool(self.routeros) == bool(self.emulator)


def verdicts(directory: Path, version: str, absent: frozenset[str]) -> Iterator[Verdict]:
    """Judge every script of a directory that RouterOS judged in this version."""
    ending = f".v{version}.parseil"
    for answer in sorted(directory.rglob(f"*.rsc{ending}")):
        source = answer.with_name(answer.name.removesuffix(ending)).read_bytes().decode("utf-8")
        text = answer.read_bytes().decode("utf-8", "backslashreplace")
        error = text.strip() if _ERROR.fullmatch(text) else ""
        yield Verdict(str(answer.relative_to(directory)).removesuffix(ending), error, _error(source, version, absent))


def _error(source: str, version: str, absent: frozenset[str]) -> str:
    try:
        check(source, version, absent)
    except (ScriptSyntaxError, NotImplementedInEmulator) as error:
        return " | ".join([str(error), *getattr(error, "__notes__", ())])
    return ""


def main() -> int:
    """Print the disagreements and their number; exit with 1 if the emulator accepts a script that RouterOS rejects."""
    parser = argparse.ArgumentParser(
        prog="python -m lab.routeros.agreement", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--absent", action="append", default=[], help="a menu of a package that was not installed")
    parser.add_argument("--version", default="7.22.1", help="RouterOS version of the answers (%(default)s)")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    for verdict in verdicts(options.directory, options.version, frozenset(options.absent)):
        kind = "agree" if verdict.agrees else "too strict" if verdict.emulator else "too lenient"
        counts[kind] += 1
        if not verdict.agrees:
            print(f"{kind}: {verdict.name}: {verdict.routeros or verdict.emulator}")
    strict, lenient = counts["too strict"], counts["too lenient"]
    print(f"{counts['agree']} of {counts.total()} agree; {strict} too strict, {lenient} too lenient")
    return 1 if counts["too lenient"] else 0


if __name__ == "__main__":
    sys.exit(main())
