"""Limits how much freed memory glibc keeps; does nothing with another C library."""

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGE_BYTES = 1 << 20
KEPT_BYTES = 4 << 20


def bound_kept_memory() -> None:
    """Return large blocks to the system when they are freed, and keep at most `KEPT_BYTES` at the heap's end.

    By default glibc raises both thresholds to the largest block freed so far, up to 32 and 64 MiB (mallopt(3)): the
    status of ten thousand routers is 4 MB of JSON, after which 10 MiB more stay resident.
    """
    with contextlib.suppress(AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back() -> None:
    """Return free memory between other blocks to the system: malloc_trim(3)."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
