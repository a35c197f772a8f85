"""`python -m lab.routeros`: run or check a RouterOS script without menus.

Exit status: 0 success; 1 an error that RouterOS would report; 3 something that the emulator does not implement.
"""

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

from lab.routeros import answers
from lab.routeros.language.call import STOP, GlobalVariables, Menu, Unknowns
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.interpreter import check, run
from lab.routeros.language.values import Nothing, render
from lab.routeros.switches import Switches, parse_switches

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


class Listener(Terminal):
    """A world that keeps what `:put` prints."""

    def __init__(self, version: str, unknowns: Unknowns) -> None:
        super().__init__(version)
        self.unknowns = unknowns
        self.lines: list[str] = []

    def put(self, text: str) -> None:
        """Keep one line."""
        self.lines.append(text)


def compare(text: str) -> int:
    """Print what a router's answers settle, leave open and contradict; return the exit status."""
    try:
        given = answers.parse_answers(text)
    except ValueError as error:
        print(f"not the answers of a router: {error}", file=sys.stderr)
        return 1
    positions = answers.settled(given)
    switches = parse_switches([f"{name}={position}" for name, position in positions.items()])

    def ask(expression: str) -> str:
        world = Listener(given.version, switches.unknowns)
        try:
            run(f":put {expression}", world)
        except ScriptError as error:
            return f"error: {error}"
        return world.lines[-1]

    print(f"RouterOS {given.version}")
    assumed, found = asdict(Switches()), asdict(switches)
    for name, position in positions.items():
        remark = "as the emulator assumes" if found[name] == assumed[name] else "NOT what the emulator assumes"
        print(f"settled: {name}={position}, {remark}")
    print(f"open: {', '.join(answers.open_switches(given)) or 'nothing'}")
    different = list(answers.differences(given, ask))
    print(*[f"differs: {line}" for line in different], sep="\n", end="\n" if different else "")
    if not different:
        print("the language: as in the emulator")
    return 0


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m lab.routeros", description="Run or check a RouterOS script.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--put", metavar="SCRIPT", help="run this text as a script")
    what.add_argument("--run", metavar="FILE", type=Path, help="run this file as /import does")
    about_answers = "compare a router's answers (wgmqtt gen-rsc ROUTER --acceptance) with the emulator's assumptions"
    what.add_argument("--answers", metavar="FILE", type=Path, help=about_answers)
    what.add_argument("--check", metavar="FILE", type=Path, help="only check whether RouterOS would compile it")
    parser.add_argument("--lines", action="store_true", help="check the file line by line, as /import compiles it")
    parser.add_argument("--version", default=DEFAULT_VERSION, help="RouterOS version (%(default)s)")
    arguments = parser.parse_args()
    world = Terminal(arguments.version)
    try:
        if arguments.answers:
            return compare(arguments.answers.read_text("utf-8"))
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
