"""Show that the checks notice defects: each mutation of the emitted script must make a check fail.

`python -m lab.checks.mutations [NAME…]`, as root, after lab/setup.sh. Exit status 1 if no check notices a mutation or
if the unchanged script fails a check; 2 if the script no longer contains the text that a mutation replaces.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.checks.listing import Check, arranged
from lab.checks.mutation import Mutation, UnmatchedError
from lab.checks.mutation_table import MUTATIONS
from lab.network.shell import LabError
from lab.testbed.events import FATAL, PATIENCE_S
from lab.testbed.lab import Lab, Setting
from wgmqtt.errors import Problem

NAME_WIDTH = 44
MUTANT_PATIENCE_S = 10.0  # a timeout counts as caught, and many mutants do nothing until then


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one script: the check that failed (empty if all passed), why, and how long it took."""

    failed: str
    why: str
    seconds: float


def judge(edit_script: Callable[[str], str], noticed_by: str = "", patience_s: float = PATIENCE_S) -> Verdict:
    """Run the checks on an edited script until one fails, beginning with `noticed_by` if possible.

    Raises:
        LabError: there is no verdict, because a part of the lab ended or the emulator does not know a command.
        UnmatchedError: the edit does not fit the script.
    """
    began_s = time.monotonic()
    for checks in arranged(noticed_by):
        failed, why = run_stage(checks, Setting(edit_script=edit_script, patience_s=patience_s))
        if failed:
            return Verdict(failed, why, time.monotonic() - began_s)
    return Verdict("", "", time.monotonic() - began_s)


def run_stage(checks: Sequence[Check], setting: Setting) -> tuple[str, str]:
    """Run checks in one lab; return the name of the one that failed, empty if none did, and why."""
    with Lab(setting) as lab:
        name = "the import"
        try:
            lab.import_scripts()
            for check in checks:
                name = check.name
                check.run(lab)
        except LabError as error:
            # If a part of the lab ended or the emulator lacks something, the script is not to blame.
            if any(event.kind in FATAL for event in lab.log.since()):
                raise LabError(Problem(name, "the lab failed, so there is no verdict", got=str(error))) from error
            return name, str(error).splitlines()[0]
    return "", ""


def judge_mutation(mutation: Mutation) -> Verdict:
    """Return the verdict on a mutation; `failed` is empty if no check noticed it."""
    return judge(mutation.apply, mutation.noticed_by, MUTANT_PATIENCE_S)


def show(name: str, verdict: Verdict) -> None:
    """Print the verdict on one line."""
    result = f"caught by: {verdict.failed}" if verdict.failed else "NOT CAUGHT"
    print(f"{name:{NAME_WIDTH}} {result:55} {verdict.seconds:5.1f} s", flush=True)


def chosen(names: Sequence[str]) -> list[Mutation]:
    """Return the mutations of these names, or all of them if there are no names; raise LabError if one is unknown."""
    known = {mutation.name: mutation for mutation in MUTATIONS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise LabError(Problem("mutations", "no such name", "; ".join(known), "; ".join(unknown)))
    return [known[name] for name in names] or list(MUTATIONS)


def run(names: Sequence[str]) -> int:
    """Judge the unchanged script and the mutations, print a line for each and the counts; return the exit status."""
    began_s = time.monotonic()
    mutations = chosen(names)
    clean = judge(str)
    state = f"FAILS: {clean.failed}: {clean.why}" if clean.failed else "passes every check"
    print(f"{'(unchanged script)':{NAME_WIDTH}} {state:55} {clean.seconds:5.1f} s", flush=True)
    missed = []
    for mutation in mutations:
        verdict = judge_mutation(mutation)
        show(mutation.name, verdict)
        if not verdict.failed:
            missed.append(mutation.name)
    caught = len(mutations) - len(missed)
    print(f"{caught} of {len(mutations)} mutations caught in {time.monotonic() - began_s:.0f} s")
    if missed:
        print(f"not caught: {'; '.join(missed)}")
    return 1 if missed or clean.failed else 0


def main() -> int:
    """Read the arguments and run."""
    arguments = argparse.ArgumentParser(
        prog="python -m lab.checks.mutations", description="Run the checks on defective scripts."
    )
    arguments.add_argument("name", nargs="*", help="mutations to run; default: all")
    try:
        return run(arguments.parse_args().name)
    except UnmatchedError as error:
        print(f"mutations: {error}", file=sys.stderr)
        return 2
    except LabError as error:
        print(f"mutations: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
