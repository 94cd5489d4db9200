"""Blosc: how voxels are packed, in stacks and on the way to BossDB.

A chunk of a stack and the body of a BossDB request are the same thing, one blosc buffer of an
array z, y, x, little-endian in C order. So whole cuboids are sent as the stack holds them, and
labels, which it holds in a smaller type, with planes of zeros added.
"""

from dataclasses import dataclass

import blosc
import numpy as np

from brainpublish.repacking import widened

blosc.set_releasegil(True)
blosc.set_nthreads(1)
# Left to itself lz4 takes larger blocks, which no longer lie in a core's cache: 10 % slower.
blosc.set_blocksize(2**17)


@dataclass(frozen=True)
class Codec:
    """Parameters of blosc."""

    name: str
    shuffle: int
    level: int

    @property
    def shuffling(self) -> str:
        """The name that Zarr gives the shuffle (v3 codec "blosc")."""
        return {blosc.SHUFFLE: "shuffle", blosc.BITSHUFFLE: "bitshuffle"}[self.shuffle]

    def pack(self, values: np.ndarray) -> bytes:
        """Return an array z, y, x as one blosc buffer, little-endian in C order."""
        little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        return blosc.compress(
            little.data,
            typesize=values.itemsize,
            clevel=self.level,
            shuffle=self.shuffle,
            cname=self.name,
        )


@dataclass(frozen=True)
class Codecs:
    """Two codecs for one kind of voxels.

    Attributes:
        fast: how stacks are packed, and what is sent when the network is no hindrance.
        strong: what is sent when blocks wait for the network anyway.
    """

    fast: Codec
    strong: Codec


IMAGE = Codecs(Codec("lz4", blosc.BITSHUFFLE, 9), Codec("zstd", blosc.SHUFFLE, 3))
BITS = Codecs(Codec("lz4", blosc.BITSHUFFLE, 9), Codec("zstd", blosc.BITSHUFFLE, 3))
"""For binary masks."""
LABELS = Codecs(Codec("lz4", blosc.SHUFFLE, 5), Codec("zstd", blosc.SHUFFLE, 1))
"""For other labels: their runs of equal ids are found sooner in bytes than in bits."""

OVERHEAD = 16
"""Bytes by which a packed array may be larger than it is raw (c-blosc, BLOSC_MAX_OVERHEAD)."""


def packed_as(codec: Codec, values: np.ndarray, dtype: str) -> bytes:
    """Return unsigned integers as a blosc buffer of a type at least as wide as theirs."""
    body = widened(codec.pack(values), np.dtype(dtype).itemsize)
    return codec.pack(values.astype(dtype)) if body is None else body


def is_whole(body: bytes) -> bool:
    """Say whether a blosc buffer is as long as its header says, in bytes 12 to 15."""
    return len(body) >= 16 and int.from_bytes(body[12:16], "little") == len(body)


def unpack(body: bytes, dtype: str, into: np.ndarray | None = None) -> np.ndarray:
    """Return the voxels of a blosc buffer as a flat array.

    Args:
        body: the buffer.
        dtype: of its voxels.
        into: array that takes them, if it is of just their size; it is then what is returned.

    Raises:
        ValueError: if it is no blosc buffer, or holds no whole number of voxels.
    """
    if raw_size(body) > blosc.MAX_BUFFERSIZE:
        # blosc would take it for a negative size.
        raise ValueError(f"no blosc buffer: it states {raw_size(body):,} bytes")
    try:
        # The size that the buffer itself states is how much would be written.
        if into is not None and is_whole(body) and raw_size(body) == into.nbytes:
            blosc.decompress_ptr(body, into.ctypes.data)
            return into.reshape(-1)
        return np.frombuffer(blosc.decompress(body), np.dtype(dtype).newbyteorder("<"))
    except blosc.blosc_extension.error as error:
        raise ValueError(f"no blosc buffer: {error}") from None


def raw_size(body: bytes) -> int:
    """Return how many bytes a blosc buffer says that its voxels are."""
    return int.from_bytes(body[4:8], "little")
