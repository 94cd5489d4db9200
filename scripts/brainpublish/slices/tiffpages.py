"""The chain of pages of a TIFF file (TIFF 6.0, section 2; BigTIFF), walked to its end.

A file that was cut, or whose copy is not complete, may have lost its later pages with their
directories. Readers then take what is left for all there is.
"""

import os
from pathlib import Path
from typing import BinaryIO

from brainpublish.slices.header import UnreadableSlice

_BIG = 43


def check_chain(path: Path) -> None:
    """Follow the pages from one to the next.

    Raises:
        UnreadableSlice: if one of them lies beyond the end of the file, or was there before.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        order = "little" if file.read(2) == b"II" else "big"
        is_big = _number(file, 2, order) == _BIG
        file.seek(8 if is_big else 4)
        width = 8 if is_big else 4
        at, seen = _number(file, width, order), set()
        while at:
            if at in seen:
                raise UnreadableSlice("SLICE_UNREADABLE", "has pages that lead back to each other")
            seen.add(at)
            file.seek(at)
            entries = _number(file, 8 if is_big else 2, order)
            file.seek(entries * (20 if is_big else 12), os.SEEK_CUR)
            end = file.tell() + width
            if end > size:
                raise UnreadableSlice(
                    "SLICE_UNREADABLE",
                    f"ends early: {size:,} bytes are there, and page {len(seen)} begins at {at:,}; "
                    "it and those behind it are lost",
                )
            at = _number(file, width, order)


def _number(file: BinaryIO, size: int, order: str) -> int:
    return int.from_bytes(file.read(size), order)
