"""Reads JPEG 2000: JP2 files and bare codestreams (ISO/IEC 15444-1). Arrays are y, x."""

import re
import warnings
from pathlib import Path

import numpy as np

from brainpublish.slices.codeblocks import damage_told, is_about_code_blocks, tell_of_damage
from brainpublish.slices.header import Header, UnreadableSlice, dtype_of_bits
from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.resolution import size_of_density

# What OpenJPEG says of boxes beside the pixels tells nothing about the pixels.
_HARMLESS = re.compile(r"box|colr|color|icc|cdef|unknown marker|\bcom\b|profile", re.IGNORECASE)
_METRE_NM = 1e9
_END = b"\xff\xd9"
_YCC = 18  # ISO/IEC 15444-1, table I.10
_HIGH_THROUGHPUT = 0x40  # ISO/IEC 15444-15, table A.5


def jp2_header(path: Path, page: int = 0) -> Header:
    """Read the header of a JPEG 2000 file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = _opened(path)
        boxes = _all_boxes(file.box)
        _check_end(path, boxes)
        size, coding = _segment(file, "SIZ"), _segment(file, "COD")
    if len({*size.xrsiz}) > 1 or len({*size.yrsiz}) > 1:
        raise UnreadableSlice("SLICE_TYPE", "holds channels of several resolutions")
    if len({*size.bitdepth}) > 1 or len({*size.signed}) > 1:
        raise UnreadableSlice("SLICE_TYPE", "holds channels of several bit depths")
    bits, signed = size.bitdepth[0], bool(size.signed[0])
    if bits > 16:
        raise UnreadableSlice("SLICE_TYPE", f"holds values of {bits} bits; JP2 up to 16 is read")
    if any(box.box_id == "colr" and box.colorspace == _YCC for box in boxes):
        raise UnreadableSlice("SLICE_TYPE", "has the colour model YCC, which is no grey scale")
    voxel, tags = _voxel(boxes)
    width = _samples(size.xosiz, size.xsiz, size.xrsiz[0])
    height = _samples(size.yosiz, size.ysiz, size.yrsiz[0])
    return Header(
        "jp2",
        width,
        height,
        bits,
        dtype_of_bits(bits, signed),
        # Transformation 0 is the irreversible 9-7 wavelet (table A.20).
        lossy=coding.xform == 0,
        samples=len(size.bitdepth),
        block_rows=min(size.ytsiz, height) if _has_bands(size, coding) else 0,
        orientation=_orientation(boxes),
        palette=_palette(boxes),
        voxel_nm=voxel,
        voxel_tags=tags,
    )


def jp2_rows(path: Path, page: int, start: int, stop: int, header: Header) -> np.ndarray:
    """Decode rows of a JPEG 2000 file.

    Raises:
        UnreadableSlice: also where the decoder goes on after damage that it found.
    """
    with warnings.catch_warnings(record=True) as said, tell_of_damage(path) as telling:
        warnings.simplefilter("always")
        file = _opened(telling)
        if header.palette:
            file.ignore_pclr_cmap_cdef = True
        if stop - start == header.height:
            values = file[:]
        elif header.block_rows:
            values = file[start:stop, :]
        else:
            values = file[:][start:stop]
    _refuse_damage([str(each.message) for each in said])
    return values


def _refuse_damage(said: list[str]) -> None:
    complaints = [text for text in said if "OpenJPEG" in text and not is_about_code_blocks(text)]
    serious = [text for text in complaints if not _HARMLESS.search(text)]
    if serious:
        text = serious[0].removeprefix("OpenJPEG library warning:").strip()
        raise UnreadableSlice("SLICE_UNREADABLE", f"is damaged, the decoder says: {text}")
    if told := damage_told(said):
        raise UnreadableSlice("SLICE_UNREADABLE", f"is damaged: {told}")


def _samples(start: int, stop: int, step: int) -> int:
    """Return how many samples lie on the reference grid from start to stop (equation B-2)."""
    return -(-stop // step) - -(-start // step)


def _has_bands(size, coding) -> bool:
    """Say whether rows can be decoded alone, with the values that they have in the whole."""
    shifted = size.xosiz or size.yosiz or size.xtosiz or size.ytosiz
    sparse = size.xrsiz[0] > 1 or size.yrsiz[0] > 1
    # OpenJPEG decodes parts of high-throughput code blocks to other values.
    return not (shifted or sparse or coding.cstyle & _HIGH_THROUGHPUT)


def _opened(path: Path):
    return use_bundled_openjpeg().Jp2k(path)


def _segment(file, marker: str):
    return next(part for part in file.codestream.segment if part.marker_id == marker)


def _all_boxes(boxes) -> list:
    return [each for box in boxes for each in (box, *_all_boxes(getattr(box, "box", [])))]


def _check_end(path: Path, boxes: list) -> None:
    held = path.stat().st_size
    streams = [box for box in boxes if box.box_id == "jp2c"]
    needed = max((box.offset + box.length for box in streams), default=held)
    if needed > held:
        raise UnreadableSlice(
            "SLICE_UNREADABLE", f"ends early: {held:,} of {needed:,} bytes are there"
        )
    if not streams:
        _check_end_marker(path)


def _check_end_marker(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(-2, 2)
        # Some programs fill files up with zeros.
        if file.read() != _END and not path.read_bytes().rstrip(b"\0").endswith(_END):
            raise UnreadableSlice("SLICE_UNREADABLE", "ends early: its end marker is missing")


def _palette(boxes: list) -> tuple[tuple[int, int, int], ...]:
    for box in boxes:
        if box.box_id == "pclr":
            columns = np.atleast_2d(box.palette)
            wide = columns[:, [0, 1, 2] if columns.shape[1] > 2 else [0, 0, 0]]
            return tuple(tuple(map(int, row)) for row in wide)
    return ()


def _orientation(boxes: list) -> int:
    """Return the orientation tag of a box with EXIF data, which glymur has read; 1 without."""
    held = [getattr(box, "data", None) for box in boxes if box.box_id == "uuid"]
    tags = [
        data["Orientation"] for data in held if isinstance(data, dict) and "Orientation" in data
    ]
    return int(tags[0]) if tags else 1


def _voxel(boxes: list):
    """Return the size of a voxel in nanometers, and the box that says it.

    The resolution at which a picture was captured says more than that of its display (I.5.3.7).
    """
    for box_id in ("resc", "resd"):
        for box in boxes:
            if box.box_id == box_id:
                per_metre = (box.horizontal_resolution, box.vertical_resolution)
                sizes = tuple(size_of_density(count, 1, _METRE_NM) for count in per_metre)
                if any(sizes):
                    return (*sizes, None), f"the box {box_id}"
    return (None, None, None), ""
