"""What becomes of memory that a job lets go of: glibc's mallopt(3). Elsewhere nothing changes."""

import ctypes
import logging

log = logging.getLogger(__name__)

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MIB = 2**20


def keep_freed_memory() -> None:
    """Keep it for what comes next: decoders ask for as much again with every slice."""
    _set({_M_TRIM_THRESHOLD: 256 * _MIB, _M_MMAP_THRESHOLD: 32 * _MIB})


def return_freed_memory() -> None:
    """Give it back: blocks that several threads have sent would stay with the process."""
    _set({_M_MMAP_THRESHOLD: _MIB, _M_ARENA_MAX: 2})


def _set(options: dict[int, int]) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    refused = [option for option, value in options.items() if not mallopt(option, value)]
    if refused:
        log.info("the C library does not take these options of mallopt: %s", refused)
