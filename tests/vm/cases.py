"""Runs the cases of a program in a virtual machine, and prints the result of each.

Not pytest, because starting it under qemu takes longer than most cases.
"""

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence

Case = Callable[[], Awaitable[None] | None]


def run_cases(cases: Mapping[str, Case], names: Sequence[str], tidy: Callable[[], None]) -> int:
    """Run the named cases, or all, with `tidy` after each; return the exit status, 1 if one failed.

    Prints `ok CASE SECONDS s`, or `FAILED CASE` and the traceback.
    """
    failed = 0
    for name in names or cases:
        began_s = time.monotonic()
        try:
            outcome = cases[name]()
            if outcome is not None:
                asyncio.run(_end(outcome))
        except Exception:  # noqa: BLE001 - any error is printed and counted
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
