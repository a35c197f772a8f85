"""Runs the cases of a program in a virtual machine, and says of each how it ended. Edge: the terminal.

A plain program, not pytest: under qemu starting that costs more than most cases.
"""

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence

Case = Callable[[], Awaitable[None] | None]


def run_cases(cases: Mapping[str, Case], names: Sequence[str], tidy: Callable[[], None]) -> int:
    """Run the cases of these names, all without names, with `tidy` after each; return the exit status, 1 if one failed.

    Prints `ok CASE SECONDS s`, or `FAILED CASE` and the traceback.
    """
    failed = 0
    for name in names or cases:
        began_s = time.monotonic()
        try:
            outcome = cases[name]()
            if outcome is not None:
                asyncio.run(_end(outcome))
        except Exception:  # noqa: BLE001 - whatever it is, it is shown and counted
            failed = 1
            print("FAILED", name)
            traceback.print_exc(file=sys.stdout)
        else:
            print("ok", name, f"{time.monotonic() - began_s:.1f} s")
        sys.stdout.flush()
        tidy()
    return failed


async def _end(case: Awaitable[None]) -> None:
    await case
