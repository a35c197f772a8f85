"""What a process costs: CPU time and memory, as proc(5) says. Edge: reads /proc."""

import os
import time
from pathlib import Path

KIB_A_MIB = 1024
CALLS = 5_000

_LAST = 19  # setpriority(2)


def find_process(word: str, namespace_pids: str) -> int:
    """Return the first of these process ids (one a line) whose command line has `word`; raises LookupError."""
    for pid in namespace_pids.split():
        if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return int(pid)
    raise LookupError(word)


def step_back(pid: int) -> None:
    """Let a process, with all threads that it has now, run only when nobody else wants to."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(task.name), _LAST)


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used: utime and stime, fields 14 and 15 of stat."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, which: str = "VmRSS") -> float:
    """Return the memory that is resident now (VmRSS), or was at most (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) / KIB_A_MIB
    raise LookupError(which)


def system_call_us() -> float:
    """Return the CPU time of one small system call here: where it is dear, figures of CPU time are too."""
    begun_s = time.process_time()
    for _ in range(CALLS):
        os.getppid()
    return (time.process_time() - begun_s) / CALLS * 1e6
