"""How the C library keeps freed memory. Edge: talks to glibc; another C library is left as it is."""

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGE_BYTES = 1 << 20
KEPT_BYTES = 4 << 20


def bound_kept_memory() -> None:
    """Have large blocks given back when they are freed, and no more than `KEPT_BYTES` kept at the heap's end.

    By itself glibc raises both bounds to the largest block it has seen, up to 32 and 64 MiB (mallopt(3)): the hub's
    view of ten thousand routers is 4 MB of JSON, and after it 10 MiB more stay resident.
    """
    with contextlib.suppress(AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back() -> None:
    """Give back what lies free between other blocks: malloc_trim(3)."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
