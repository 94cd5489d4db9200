"""One reader per file format: header facts, and voxel values as the file holds them.

Arrays are y, x. The format is told by the first bytes of a file, never by its name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainpublish.files import is_passing
from brainpublish.slices.header import Header, UnreadableSlice, one_grey
from brainpublish.slices.jp2 import jp2_header, jp2_rows
from brainpublish.slices.pictures import jpeg_header, jpeg_rows, png_header, png_rows
from brainpublish.slices.tiff import tiff_header, tiff_rows
from brainpublish.slices.upright import UPRIGHT, as_stored, stored_rows, turned

_PLAUSIBLE_PIXELS = 64 * 2**20
_PLAUSIBLE_PIXELS_PER_BYTE = 20_000

# What decoders stumble over when a header says what no writer says.
_SENSELESS = (ArithmeticError, AttributeError, LookupError, TypeError)


@dataclass(frozen=True)
class Reader:
    """The two functions that read one format."""

    name: str
    suffixes: tuple[str, ...]
    header: Callable[[Path, int], Header]
    rows: Callable[[Path, int, int, int, Header], np.ndarray]


def read_header(path: str | Path, page: int = 0) -> Header:
    """Read a slice's header. `page` counts the pages of a TIFF file from 0.

    Raises:
        UnreadableSlice: if the file is empty, of no known format, damaged, or cut short.
        OSError: if the file system fails for now.
    """
    path = Path(path)
    header = _guarded(_reader_of(path).header, path, page)
    pixels = header.width * header.height
    if not pixels or header.samples < 1:
        raise UnreadableSlice("SLICE_UNREADABLE", "says that it has no pixels")
    if pixels > _PLAUSIBLE_PIXELS and pixels > path.stat().st_size * _PLAUSIBLE_PIXELS_PER_BYTE:
        raise UnreadableSlice(
            "SLICE_UNREADABLE",
            f"says that it is {header.width:,} x {header.height:,}, and has "
            f"{path.stat().st_size:,} bytes: the header is damaged",
        )
    return header


def read_rows(path: str | Path, header: Header, start: int, stop: int, page: int = 0) -> np.ndarray:
    """Decode rows start to stop of a slice, values as stored, in the machine's byte order.

    With a header of `upright`, they are rows of the picture that was turned as its tag says.

    Returns:
        An array y, x, or y, x, samples where the header says more than one sample.

    Raises:
        UnreadableSlice: if the file cannot be decoded.
    """
    path = Path(path)
    if header.turn != UPRIGHT:
        return _turned_rows(path, header, start, stop, page)
    values = _guarded(_reader_of(path).rows, path, page, start, stop, header)
    samples = (header.samples,) if header.samples > 1 else ()
    if values.shape != (stop - start, header.width, *samples):
        raise UnreadableSlice("SLICE_UNREADABLE", "holds fewer pixels than its header says")
    return values


def _turned_rows(path: Path, header: Header, start: int, stop: int, page: int) -> np.ndarray:
    first, last = stored_rows(header, start, stop)
    values = turned(read_rows(path, as_stored(header), first, last, page), header.turn)
    # Of a picture on its side, all of it was decoded.
    return values if len(values) == stop - start else values[start:stop]


def read_slice(path: str | Path, page: int = 0) -> np.ndarray:
    """Decode a whole slice of grey values: an array y, x, values as stored.

    Colour files whose channels are all equal are read as the one channel that they are.

    Raises:
        UnreadableSlice: if the file cannot be decoded to the end or holds colours.
    """
    header = read_header(path, page)
    return one_grey(read_rows(path, header, 0, header.height, page), header.bit_depth)


def suffix_fits(path: str | Path, header: Header) -> bool:
    """Say whether a file's name ends as files of its format do, or says nothing."""
    suffix = Path(path).suffix.lower()
    known = {each for reader in set(_READERS.values()) for each in reader.suffixes}
    own = next(reader for reader in _READERS.values() if reader.name == header.format)
    return suffix not in known or suffix in own.suffixes


def _guarded(function: Callable, path: Path, *arguments):
    # Decoders raise whatever they like on damaged files; each such file is one finding.
    try:
        return function(path, *arguments)
    except (UnreadableSlice, MemoryError):
        raise
    except Exception as error:
        if is_passing(error):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, _SENSELESS):
            reason = f"its header makes no sense ({reason})"
        raise UnreadableSlice("SLICE_UNREADABLE", f"cannot be decoded: {reason}") from error


def _reader_of(path: Path) -> Reader:
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as error:
        if is_passing(error):
            raise
        raise UnreadableSlice("SLICE_UNREADABLE", f"cannot be opened: {error.strerror}") from error
    if not start:
        raise UnreadableSlice("SLICE_UNREADABLE", "the file is empty")
    for magic, reader in _READERS.items():
        if start.startswith(magic):
            return reader
    raise UnreadableSlice(
        "SLICE_FORMAT", f"is no JP2, PNG, JPEG or TIFF file: it begins with {start[:8]!r}"
    )


_JP2 = Reader("jp2", (".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf"), jp2_header, jp2_rows)
_PNG = Reader("png", (".png",), png_header, png_rows)
_JPEG = Reader("jpeg", (".jpg", ".jpeg", ".jpe"), jpeg_header, jpeg_rows)
_TIFF = Reader("tiff", (".tif", ".tiff", ".btf", ".tf8"), tiff_header, tiff_rows)

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
