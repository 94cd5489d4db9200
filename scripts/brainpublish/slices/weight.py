"""How much a slice weighs, from its header alone: what a slab's depth and memory follow from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainpublish.slices.fit import fit_of, fitted
from brainpublish.slices.read import UnreadableSlice, read_header
from brainpublish.slices.upright import is_upright, upright


@dataclass(frozen=True, order=True)
class Weight:
    """Rows, columns and bytes per voxel of a slice, its format; rows that its decoder gives.

    `stored` are rows and columns of the file, where the slice is padded or cropped to others.
    """

    height: int
    width: int
    itemsize: int
    block: int
    format: str
    stored: tuple[int, int] = (0, 0)

    @property
    def bytes(self) -> int:
        """Bytes of the slice's pixels."""
        return self.height * self.width * self.itemsize


def weight_of(path: str | Path, section: dict | None = None) -> Weight | None:
    """Return a slice's weight, or None if the file cannot be read as a slice.

    `section` is its channel's, which may ask for slices to be turned or fitted.
    """
    section = section or {}
    fit = fit_of(section)
    try:
        header = read_header(path)
    except (UnreadableSlice, OSError):
        return None
    header = upright(header) if is_upright(section) else header
    held = fitted(header, fit) if fit else header
    itemsize = np.dtype(held.dtype).itemsize
    return Weight(
        held.height, held.width, itemsize, held.block_rows, held.format, stored=header.shape
    )
