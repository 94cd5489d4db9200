"""Blosc buffers that are made of others, without packing voxels again.

Wider integers: a shuffled blosc buffer holds, for each block of voxels, their lowest bytes, then
their next ones and so on, each such plane compressed for itself (c-blosc, README_CHUNK_FORMAT;
with bitshuffle a plane holds the bits of one byte). The higher planes of a small integer are
zeros. So labels that a stack holds in one byte become uint64 by adding seven planes of zeros to
each block.

Longer arrays: blocks of voxels are compressed for themselves, so those of several buffers make
one, as long as all but the last hold whole blocks.
"""

import functools
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import imagecodecs
import numpy as np

_HEADER = struct.Struct("<BBBBIII")
_BYTES, _COPIED, _BITS, _UNSPLIT = 0x01, 0x02, 0x04, 0x10
_FORMAT_SHIFT = 5
_LEAST = 128  # c-blosc, MIN_BUFFERSIZE: smaller planes are not compressed by themselves
_OCTET = 8  # so many voxels make a byte of each plane of bits


@dataclass(frozen=True)
class _Format:
    """How planes are compressed."""

    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes, int], bytes]


_FORMATS = {
    1: _Format(
        lambda data: imagecodecs.lz4_encode(data, header=False),
        lambda data, size: imagecodecs.lz4_decode(data, header=False, out=size),
    ),
    4: _Format(
        lambda data: imagecodecs.zstd_encode(data, level=3),
        lambda data, size: imagecodecs.zstd_decode(data, out=size),
    ),
}


def widened(body: bytes, itemsize: int) -> bytes | None:
    """Return a blosc buffer of the same unsigned integers in a wider type.

    Args:
        body: a blosc buffer of little-endian unsigned integers.
        itemsize: bytes of the wider type; at least those of the buffer's own.

    Returns:
        The buffer; it is `body` itself if that is of the type already, and None if its voxels
        are not held in planes: they are to be packed anew.
    """
    version, inner, flags, own, size, block, _ = _HEADER.unpack_from(body)
    if own == itemsize:
        return body
    form = _FORMATS.get(flags >> _FORMAT_SHIFT)
    plane = block // own
    count, rest = divmod(size, block)
    if form is None or not _in_planes(flags, own, plane, rest // own):
        return None
    starts = struct.unpack_from(f"<{count + bool(rest)}I", body, _HEADER.size)
    zeros = _stream(_zeros(form, plane)) * (itemsize - own)
    blocks = [body[at : _end(body, at, own)] + zeros for at in starts[:count]]
    if rest:
        blocks.append(_last(body, starts[-1], form, rest, rest // own * (itemsize - own)))
    wide = [size // own * itemsize, plane * itemsize]
    flags = flags & ~_UNSPLIT | (0 if flags & _BITS else _BYTES)
    return _assembled((version, inner, flags, itemsize), wide, blocks)


def follows(first: bytes, second: bytes) -> bool:
    """Say whether the voxels of a blosc buffer can be joined to those of another one."""
    *head, size, block, _ = _HEADER.unpack_from(first)
    *other, _, others_block, _ = _HEADER.unpack_from(second)
    return head == other and block == others_block and not head[2] & _COPIED and size % block == 0


class Pieces:
    """A body in pieces, which requests sends one after the other, as they lie in memory."""

    def __init__(self, pieces: list[bytes | memoryview]):
        self._pieces = pieces

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __iter__(self) -> Iterator[bytes | memoryview]:
        return iter(self._pieces)


def joined(bodies: list[bytes]) -> bytes | Pieces:
    """Return the voxels of blosc buffers as one buffer, each of which `follows` the one before."""
    if len(bodies) == 1:
        return bodies[0]
    *head, _, block, _ = _HEADER.unpack_from(bodies[0])
    sizes = [_HEADER.unpack_from(body)[4] for body in bodies]
    counts = [-(-size // block) for size in sizes]
    at = _HEADER.size + 4 * sum(counts)
    index, blocks = b"", []
    for body, count in zip(bodies, counts, strict=True):
        begin = _HEADER.size + 4 * count
        starts = np.frombuffer(body, "<u4", count, _HEADER.size)
        index += (starts + np.uint32(at - begin)).tobytes()
        blocks.append(memoryview(body)[begin:])
        at += len(body) - begin
    return Pieces([_HEADER.pack(*head, sum(sizes), block, at) + index, *blocks])


def _in_planes(flags: int, own: int, plane: int, rest: int) -> bool:
    """Say whether voxels are in planes that can be told from each other, in all blocks."""
    shuffled = own == 1 or (flags & (_BYTES | _BITS) and not flags & _UNSPLIT)
    # Voxels that fill no last byte of a plane of bits are not shuffled at all.
    odd = flags & _BITS and (plane % _OCTET or rest % _OCTET)
    return bool(shuffled) and not flags & _COPIED and plane >= _LEAST and not odd


def _end(body: bytes, at: int, planes: int) -> int:
    for _ in range(planes):
        at += 4 + int.from_bytes(body[at : at + 4], "little")
    return at


def _last(body: bytes, at: int, form: _Format, size: int, more: int) -> bytes:
    """Return the last block, which is shorter, its planes compressed as one, with more zeros."""
    held = body[at + 4 : _end(body, at, 1)]
    planes = (held if len(held) == size else bytes(form.decode(held, size))) + bytes(more)
    encoded = form.encode(planes)
    return _stream(encoded if len(encoded) < len(planes) else planes)


def _stream(encoded: bytes) -> bytes:
    return len(encoded).to_bytes(4, "little") + encoded


@functools.cache
def _zeros(form: _Format, size: int) -> bytes:
    return form.encode(bytes(size))


def _assembled(head: tuple[int, ...], sizes: list[int], blocks: list[bytes]) -> bytes:
    starts = [_HEADER.size + 4 * len(blocks)]
    for each in blocks:
        starts.append(starts[-1] + len(each))
    *starts, whole = starts
    index = struct.pack(f"<{len(starts)}I", *starts)
    return b"".join([_HEADER.pack(*head, *sizes, whole), index, *blocks])
