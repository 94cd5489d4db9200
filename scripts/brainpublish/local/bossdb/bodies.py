"""Voxels on the wire: the formats in which cutouts travel."""

import io
import zlib

import blosc
import numpy as np
from PIL import Image

from brainpublish.local.bossdb.errors import BossError, Code, ServerCrash

BLOSC = "application/blosc"
BLOSC_PYTHON = "application/blosc-python"
NPYGZ = "application/npygz"
JPEG = "image/jpeg"
POST_TYPES = (BLOSC, BLOSC_PYTHON, NPYGZ)
GET_TYPES = (BLOSC, BLOSC_PYTHON, NPYGZ, JPEG)
JPEG_QUALITY = 85
HEADER_BYTES = 16
NPY_HEADER_LIMIT = 1 << 16


def prepare_blosc() -> None:
    """Let blosc work in several threads at once, each call in its own."""
    blosc.set_releasegil(True)
    blosc.set_nthreads(1)


def decode(
    body: bytes, content_type: str, dtype: np.dtype, shapes: list[tuple[int, ...]]
) -> np.ndarray:
    """Return the posted voxels in one of the allowed shapes (the first for bare bytes).

    Raises BossError 400/2001 for a body that cannot be decoded or has another dtype, 400/2002
    for another shape, and crashes where the real service does.
    """
    if content_type == BLOSC:
        return _from_blosc(body, dtype, shapes[0])
    if content_type == BLOSC_PYTHON:
        raise BossError(
            Code.UNDECODABLE,
            "application/blosc-python bodies hold a pickle and are not unpacked here; "
            "use application/blosc",
        )
    voxels = _from_npygz(body, dtype, shapes)
    if voxels.dtype != dtype:
        raise BossError(Code.UNDECODABLE, "Datatype does not match channel")
    if voxels.shape not in shapes:
        raise _mismatch(shapes[0], voxels.shape)
    return voxels


def encode(voxels: np.ndarray, media_type: str) -> bytes:
    """Return voxels as a body of a media type. Raises BossError 400/2001 where JPEG cannot."""
    if media_type == BLOSC:
        return _to_blosc(voxels)
    if media_type == BLOSC_PYTHON:
        return blosc.pack_array(np.ascontiguousarray(voxels), cname="lz4", clevel=1)
    if media_type == NPYGZ:
        file = io.BytesIO()
        np.save(file, np.ascontiguousarray(voxels), allow_pickle=False)
        return zlib.compress(file.getbuffer(), 1)
    return _to_jpeg(voxels)


def _from_blosc(body: bytes, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    # The decoder trusts the header, so the header must be whole and tell the true length.
    size, packed_size, _ = blosc.get_cbuffer_sizes(body) if len(body) >= HEADER_BYTES else (0,) * 3
    if packed_size != len(body):
        raise _undecodable("not a blosc buffer")
    if size % dtype.itemsize:
        raise _undecodable(f"{size} bytes are not whole items of {dtype.itemsize}")
    voxels = np.empty(shape, dtype)
    if size != voxels.nbytes:
        raise BossError(
            Code.SHAPE_MISMATCH,
            f"Data dimensions in URL do not match POSTed data: {size} bytes for {shape}",
        )
    try:
        blosc.decompress_ptr(body, voxels.ctypes.data)
    except (blosc.blosc_extension.error, ValueError) as problem:
        raise _undecodable(problem) from problem
    return voxels


def _from_npygz(body: bytes, dtype: np.dtype, shapes: list[tuple[int, ...]]) -> np.ndarray:
    limit = int(np.prod(shapes[0], dtype=np.int64)) * 8 + NPY_HEADER_LIMIT
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(body, limit)
        if inflater.unconsumed_tail or not inflater.eof:
            raise _mismatch(shapes[0], "more")
        return np.load(io.BytesIO(plain), allow_pickle=False)
    except (zlib.error, ValueError, EOFError, OSError) as problem:
        raise ServerCrash(f"unreadable npygz body: {problem}") from problem


def _to_blosc(voxels: np.ndarray) -> bytes:
    packed = np.ascontiguousarray(voxels)
    return blosc.compress_ptr(
        packed.ctypes.data,
        packed.size,
        typesize=packed.itemsize,
        clevel=1,
        shuffle=blosc.SHUFFLE,
        cname="lz4",
    )


def _to_jpeg(voxels: np.ndarray) -> bytes:
    if voxels.dtype != np.uint8 or voxels.ndim != 3:
        raise BossError(Code.UNDECODABLE, "JPEG is for three-dimensional uint8 cutouts only")
    slices = voxels.reshape(-1, voxels.shape[2])
    if max(slices.shape) > 65_500:
        raise BossError(Code.UNDECODABLE, "The cutout's slices are too many for one JPEG")
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(slices)).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _undecodable(problem: object) -> BossError:
    return BossError(Code.UNDECODABLE, f"Failed to decompress data: {problem}")


def _mismatch(expected: tuple[int, ...], found: object) -> BossError:
    return BossError(
        Code.SHAPE_MISMATCH,
        f"Data dimensions in URL do not match POSTed data: {expected}, not {found}",
    )
