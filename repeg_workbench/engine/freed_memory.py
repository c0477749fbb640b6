"""Memory that is freed and soon needed again, such as that of the arrays from which a market's day is made."""

from __future__ import annotations

import ctypes

# glibc's mallopt: https://man7.org/linux/man-pages/man3/mallopt.3.html
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 * 1024 * 1024
_KEPT_BYTES = 256 * 1024 * 1024


def keep_freed_memory() -> None:
    """Let the process keep what it frees. By default glibc gives large arrays back to the system at once, which clears
    their memory before the next one: a third of the time of making a day. Other allocators stay as they are."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
    mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
