"""One reader per file format: header facts, and voxel values as the file holds them.

Arrays are y, x. The format is told by the first bytes of a file, never by its name.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from brainpublish.slices.openjpeg import use_bundled_openjpeg

# Large slices are this tool's daily work, so Pillow's guard against them is off.
Image.MAX_IMAGE_PIXELS = None


class UnreadableSlice(Exception):
    """A file that is no slice this tool can read; `code` names the finding."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Header:
    """What a file says of itself, before any pixel is decoded.

    `bit_depth` counts the bits that the file says are used; `dtype` is the smallest
    unsigned type that holds them; `lossy` says that values may differ from those that were
    stored.
    """

    format: str
    width: int
    height: int
    bit_depth: int
    dtype: str
    lossy: bool


@dataclass(frozen=True)
class Reader:
    """The two functions that read one format."""

    name: str
    header: Callable[[Path], Header]
    values: Callable[[Path], np.ndarray]


def read_header(path: str | Path) -> Header:
    """Read a slice's header.

    Raises:
        UnreadableSlice: if the file is empty, of no known format, damaged, or cut short.
    """
    path = Path(path)
    return _guarded(_reader_of(path).header, path)


def read_slice(path: str | Path) -> np.ndarray:
    """Decode a slice: an array y, x of uint8, uint16, uint32 or uint64, values as stored.

    Colour files whose channels are all equal are read as the one channel that they are.

    Raises:
        UnreadableSlice: if the file cannot be decoded to the end or holds colours.
    """
    path = Path(path)
    return _gray(_guarded(_reader_of(path).values, path))


def _guarded(function: Callable, path: Path):
    # Decoders raise whatever they like on damaged files; each such file is one finding.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(path)
    except UnreadableSlice:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableSlice("SLICE_UNREADABLE", f"cannot be decoded: {reason}") from error


def _reader_of(path: Path) -> Reader:
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as error:
        raise UnreadableSlice("SLICE_UNREADABLE", f"cannot be opened: {error.strerror}") from error
    if not start:
        raise UnreadableSlice("SLICE_UNREADABLE", "the file is empty")
    for magic, reader in _READERS.items():
        if start.startswith(magic):
            return reader
    raise UnreadableSlice(
        "SLICE_FORMAT", f"is no JP2, PNG, JPEG or TIFF file: it begins with {start[:8]!r}"
    )


def _gray(values: np.ndarray) -> np.ndarray:
    if values.ndim == 2:
        return values
    colours = values[..., :3] if values.shape[-1] > 2 else values[..., :1]
    alpha = values[..., colours.shape[-1] :]
    if (alpha != np.iinfo(values.dtype).max).any():
        raise UnreadableSlice("SLICE_COLOUR", "holds transparent pixels")
    if (colours != colours[..., :1]).any():
        raise UnreadableSlice("SLICE_COLOUR", "holds colours: its channels differ")
    return np.ascontiguousarray(colours[..., 0])


def _smallest_dtype(bit_depth: int) -> str:
    return next(f"uint{bits}" for bits in (8, 16, 32, 64) if bit_depth <= bits)


def _jp2_header(path: Path) -> Header:
    file = use_bundled_openjpeg().Jp2k(path)
    _check_jp2_end(path, file)
    size, coding = _segment(file, "SIZ"), _segment(file, "COD")
    if any(size.signed):
        raise UnreadableSlice("SLICE_TYPE", "holds signed values; BossDB holds unsigned ones")
    height, width = file.shape[:2]
    bits = max(size.bitdepth)
    # Transformation 0 is the irreversible 9-7 wavelet (ISO/IEC 15444-1, table A.20).
    return Header("jp2", width, height, bits, _smallest_dtype(bits), coding.xform == 0)


def _segment(file, marker: str):
    return next(part for part in file.codestream.segment if part.marker_id == marker)


def _check_jp2_end(path: Path, file) -> None:
    held = path.stat().st_size
    boxes = [box for box in file.box if box.box_id == "jp2c"]
    needed = max((box.offset + box.length for box in boxes), default=held)
    if needed > held:
        raise UnreadableSlice(
            "SLICE_UNREADABLE", f"ends early: {held:,} of {needed:,} bytes are there"
        )


def _jp2_values(path: Path) -> np.ndarray:
    return use_bundled_openjpeg().Jp2k(path)[:]


_PILLOW_BITS = {"1": 1, "L": 8, "LA": 8, "RGB": 8, "RGBA": 8, "I;16": 16, "I;16B": 16}


def _pillow_header(path: Path, lossy: bool) -> Header:
    with Image.open(path) as image:
        if image.mode not in _PILLOW_BITS:
            raise UnreadableSlice(
                "SLICE_TYPE", f"has the pixel type {image.mode!r}, which is no grey scale"
            )
        bits = _PILLOW_BITS[image.mode]
        return Header(
            image.format.lower(), image.width, image.height, bits, _smallest_dtype(bits), lossy
        )


def _pillow_values(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        values = np.asarray(image)
    return values.astype(np.uint8) if values.dtype == bool else values


def _png_header(path: Path) -> Header:
    with path.open("rb") as file:
        file.seek(24)
        depth = file.read(1)[0]
        file.seek(-12, 2)
        end = file.read(12)
    if b"IEND" not in end:
        raise UnreadableSlice("SLICE_UNREADABLE", "ends early: the closing IEND chunk is missing")
    if depth in (2, 4):
        # Pillow would stretch such values to 0..255, which are not those that were stored.
        raise UnreadableSlice("SLICE_TYPE", f"is a PNG of {depth} bits; 1, 8 and 16 are read")
    return _pillow_header(path, lossy=False)


def _jpeg_header(path: Path) -> Header:
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 64), 2)
        end = file.read()
    if b"\xff\xd9" not in end:
        raise UnreadableSlice("SLICE_UNREADABLE", "ends early: the closing JPEG marker is missing")
    return _pillow_header(path, lossy=True)


_LOSSY_TIFF = {"JPEG", "OJPEG", "JPEG_LOSSY", "WEBP", "JPEGXR", "JPEGXR_NDPI"}


def _tiff_header(path: Path) -> Header:
    with tifffile.TiffFile(path) as file:
        page = _only_page(file)
        if page.photometric not in (
            tifffile.PHOTOMETRIC.MINISBLACK,
            tifffile.PHOTOMETRIC.RGB,
        ):
            raise UnreadableSlice(
                "SLICE_TYPE", f"has the photometric type {page.photometric.name}, not MINISBLACK"
            )
        if page.dtype is None or page.dtype.kind not in "ub":
            raise UnreadableSlice(
                "SLICE_TYPE", f"holds values of type {page.dtype}; BossDB holds unsigned integers"
            )
        bits = page.bitspersample
        lossy = page.compression.name in _LOSSY_TIFF
        return Header("tiff", page.imagewidth, page.imagelength, bits, _smallest_dtype(bits), lossy)


def _only_page(file: tifffile.TiffFile) -> tifffile.TiffPage:
    if len(file.pages) != 1:
        raise UnreadableSlice(
            "SLICE_PAGES", f"holds {len(file.pages)} pages; one file must hold one slice"
        )
    return file.pages.first


def _tiff_values(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        values = _only_page(file).asarray()
    if values.dtype == bool:
        return values.astype(np.uint8)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


_JP2 = Reader("jp2", _jp2_header, _jp2_values)
_PNG = Reader("png", _png_header, _pillow_values)
_JPEG = Reader("jpeg", _jpeg_header, _pillow_values)
_TIFF = Reader("tiff", _tiff_header, _tiff_values)

_READERS: dict[bytes, Reader] = {
    b"\x00\x00\x00\x0cjP  \r\n\x87\n": _JP2,
    b"\xff\x4f\xff\x51": _JP2,
    b"\x89PNG\r\n\x1a\n": _PNG,
    b"\xff\xd8\xff": _JPEG,
    b"II*\x00": _TIFF,
    b"MM\x00*": _TIFF,
    b"II+\x00": _TIFF,
    b"MM\x00+": _TIFF,
}
