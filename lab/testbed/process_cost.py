"""CPU time and memory of a process, from /proc (proc(5))."""

import os
import time
from pathlib import Path

KIB_A_MIB = 1024
CALLS = 5_000

_LAST = 19  # setpriority(2)


def find_process(word: str, namespace_pids: str) -> int:
    """Return the first of these process ids (one a line) whose command line has `word`; raise LookupError if none."""
    for pid in namespace_pids.split():
        if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return int(pid)
    raise LookupError(word)


def lower_priority(pid: int) -> None:
    """Give a process and its current threads the lowest priority."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(task.name), _LAST)


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used: fields 14 and 15 of /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, which: str = "VmRSS") -> float:
    """Return the resident memory (VmRSS), or its peak (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) / KIB_A_MIB
    raise LookupError(which)


def system_call_us() -> float:
    """Return the CPU time of one small system call: where it is expensive, all figures of CPU time are higher."""
    begun_s = time.process_time()
    for _ in range(CALLS):
        os.getppid()
    return (time.process_time() - begun_s) / CALLS * 1e6
