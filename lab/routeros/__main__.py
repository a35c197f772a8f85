"""`python -m lab.routeros`: run or check a RouterOS script without menus.

Exit status: 0 success; 1 an error that RouterOS would report; 3 something that the emulator does not implement.
"""

import argparse
import sys
import time
from pathlib import Path

from lab.routeros.language.call import STOP, GlobalVariables, Menu
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.interpreter import check, run
from lab.routeros.language.values import Nothing, render

DEFAULT_VERSION = "7.21.5"


class Terminal:
    """A world without menus; `:put` prints to the terminal."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.globals = GlobalVariables()
        self.unknowns = STOP

    def menu(self, path: str) -> Menu:
        """Reject every menu.

        Raises:
            NotImplementedInEmulator: always.
        """
        raise NotImplementedInEmulator(f"{path}: a script that is run from the command line has no menus")

    def put(self, text: str) -> None:
        """Print one line, decoded as UTF-8."""
        print(text.encode("latin-1").decode("utf-8", "backslashreplace"))

    def log(self, topics: str, text: str) -> None:
        """Print one line of the log to standard error."""
        print(f"{topics}: {text}", file=sys.stderr)

    def delay(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def now_ns(self) -> int:
        """Return Unix time."""
        return time.time_ns()


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m lab.routeros", description="Run or check a RouterOS script.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--put", metavar="SCRIPT", help="run this text as a script")
    what.add_argument("--run", metavar="FILE", type=Path, help="run this file as /import does")
    what.add_argument("--check", metavar="FILE", type=Path, help="only check whether RouterOS would compile it")
    parser.add_argument("--lines", action="store_true", help="check the file line by line, as /import compiles it")
    parser.add_argument("--version", default=DEFAULT_VERSION, help="RouterOS version (%(default)s)")
    arguments = parser.parse_args()
    world = Terminal(arguments.version)
    try:
        if arguments.check:
            scope = "import" if arguments.lines else "script"
            check(arguments.check.read_text("utf-8"), arguments.version, scope=scope)
            return 0
        if arguments.run:
            result = run(arguments.run.read_text("utf-8"), world, scope="import")
        else:
            result = run(arguments.put, world)
        if not isinstance(result, Nothing):
            world.put(render(result))
    except ScriptError as error:
        print(f"Script Error: {error}", *getattr(error, "__notes__", ()), sep="\n  ", file=sys.stderr)
        return 1
    except NotImplementedInEmulator as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
