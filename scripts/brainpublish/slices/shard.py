"""Shards: files of many chunks, written chunk by chunk and read by the chunk.

Layout: Zarr v3, codec "sharding_indexed" (ZEP 2) with the index at the end: for each chunk of
the shard, in C order, offset and size as little-endian uint64, both 2^64 - 1 for a chunk that
is not there; then the crc32c of all that. A general Zarr library holds a whole shard in memory
to write it, and gives voxels, not the packed chunks, which are sent as they are.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from brainpublish.files import replacing
from brainpublish.uncached import UncachedWriter, read_once

_ABSENT = 2**64 - 1
_CASTAGNOLI = 0x82F63B78
"""The polynomial of crc32c, reversed (RFC 3720, appendix B.4)."""


class ShardWriter:
    """Writes one shard; chunks that are not put are absent."""

    def __init__(self, file: UncachedWriter, counts: tuple[int, int, int]):
        """Begin a shard.

        Args:
            file: what its bytes are written to, from its start.
            counts: chunks of the shard along z, y, x.
        """
        self._file = file
        self._at = 0
        self._index = np.full((*counts, 2), _ABSENT, "<u8")

    def put(self, place: tuple[int, int, int], body: bytes | memoryview) -> None:
        """Append a packed chunk; `place` is its number in the shard along z, y, x."""
        self._index[place] = self._at, len(body)
        self._file.write(body)
        self._at += len(body)

    def finish(self) -> None:
        """Append the index."""
        index = self._index.tobytes()
        self._file.write(index + _crc32c(index).to_bytes(4, "little"))


@contextmanager
def new_shard(path: str | Path, counts: tuple[int, int, int]) -> Iterator[ShardWriter]:
    """Write a shard that has its name only once it is whole and on disk."""
    with replacing(path) as file, UncachedWriter(file.fileno()) as uncached:
        writer = ShardWriter(uncached, counts)
        yield writer
        writer.finish()


class DamagedShard(ValueError):
    """A shard that is not as it was written."""


class Shard:
    """Reads the packed chunks of one shard. Safe to share between threads."""

    def __init__(self, path: str | Path, counts: tuple[int, int, int]):
        """Open a shard.

        Raises:
            OSError: if it cannot be opened.
            DamagedShard: if its index is not whole.
        """
        self._path = path
        self._handle = os.open(path, os.O_RDONLY)
        size = 16 * int(np.prod(counts))
        begin = os.fstat(self._handle).st_size - size - 4
        index = os.pread(self._handle, size + 4, begin) if begin >= 0 else b""
        if _crc32c(index[:-4]) != int.from_bytes(index[-4:], "little") or begin < 0:
            os.close(self._handle)
            raise DamagedShard(f"{path} is damaged: its index is not whole")
        self._index = np.frombuffer(index[:-4], "<u8").reshape(*counts, 2)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def chunk(self, place: tuple[int, int, int]) -> bytes:
        """Return a packed chunk.

        Raises:
            DamagedShard: if it is not there or ends early.
        """
        offset, size = (int(each) for each in self._index[place])
        body = b"" if offset == _ABSENT else read_once(self._handle, size, offset)
        if not body or len(body) != size:
            raise DamagedShard(f"{self._path} is damaged: a chunk of it is not there")
        return body


def _crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()
