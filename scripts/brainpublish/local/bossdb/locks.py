"""Locks that hold between threads and between processes, and that end with their process."""

import fcntl
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STRIPES = 256


@contextmanager
def exclusive(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold the lock file; yields whether it was had (always true if waiting).

    Each use opens the file anew, so that two threads of one process exclude each other too.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


class Stripes:
    """Many locks for very many things: things that share a stripe share its lock.

    A thread that holds one must not ask for another.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def hold(self, *key: object) -> Iterator[None]:
        """Hold the lock of the thing that a key names."""
        stripe = zlib.crc32(repr(key).encode()) % STRIPES
        with exclusive(self._folder / f"{stripe:03d}"):
            yield
