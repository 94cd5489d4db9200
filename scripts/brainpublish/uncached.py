"""Large files that leave nothing in the system's cache, where the system allows that.

Fresh pages of the cache cost a core more than packing the voxels that go into them, and what
fills them is seldom wanted twice: a shard is read by the job that sends it, and proves it.
"""

import contextlib
import errno
import fcntl
import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor

BUFFER_BYTES = 2**21
"""Bytes written at once; a file holds twice as much in memory."""

_DIRECT = getattr(os, "O_DIRECT", 0)


class UncachedWriter:
    """Writes a file from its start; leaving the `with` block writes what is left.

    Linux, open(2), O_DIRECT: memory, offset and size are then multiples of a file system's block.
    Where a file system refuses that, or a system does not know it, the file is written as usual.
    """

    def __init__(self, handle: int):
        """Begin to write to an open and empty file, which the caller flushes and closes."""
        self._handle = handle
        self._buffer, self._other = (mmap.mmap(-1, BUFFER_BYTES) for _ in range(2))
        self._filled = 0
        self._thread = ThreadPoolExecutor(1)
        self._under_way: Future = self._thread.submit(_set_direct, handle, True)

    def __enter__(self) -> "UncachedWriter":
        return self

    def __exit__(self, kind, *_):
        # Left only once nothing is under way: closed, the handle may soon be another file's.
        with self._thread:
            if kind is None:
                self._under_way.result()
                # The end of a file is no whole block.
                _set_direct(self._handle, False)
                _write_all(self._handle, memoryview(self._buffer)[: self._filled])

    def write(self, body: bytes | memoryview) -> None:
        """Append bytes.

        Raises:
            OSError: if some that were appended before could not be written.
        """
        rest = memoryview(body)
        while rest:
            taken = min(len(rest), BUFFER_BYTES - self._filled)
            self._buffer[self._filled : self._filled + taken] = rest[:taken]
            self._filled += taken
            rest = rest[taken:]
            if self._filled == BUFFER_BYTES:
                self._hand_over()

    def _hand_over(self) -> None:
        self._under_way.result()
        self._under_way = self._thread.submit(_write_all, self._handle, memoryview(self._buffer))
        self._buffer, self._other = self._other, self._buffer
        self._filled = 0


def read_once(handle: int, size: int, offset: int) -> bytes:
    """Return bytes of a file, fewer where it ends, and let the cache forget them."""
    body = os.pread(handle, size, offset)
    if hasattr(os, "posix_fadvise"):
        # It is advice only: what a file system says of it is of no matter.
        with contextlib.suppress(OSError):
            os.posix_fadvise(handle, offset, size, os.POSIX_FADV_DONTNEED)
    return body


def _set_direct(handle: int, wanted: bool) -> None:
    flags = fcntl.fcntl(handle, fcntl.F_GETFL)
    with contextlib.suppress(OSError):
        fcntl.fcntl(handle, fcntl.F_SETFL, flags | _DIRECT if wanted else flags & ~_DIRECT)


def _write_all(handle: int, rest: memoryview) -> None:
    while rest:
        try:
            rest = rest[os.write(handle, rest) :]
        except OSError as error:
            is_direct = fcntl.fcntl(handle, fcntl.F_GETFL) & _DIRECT
            if error.errno != errno.EINVAL or not is_direct:
                raise
            _set_direct(handle, False)
