"""How much a slice weighs, from its header alone: what a slab's depth and memory follow from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainpublish.slices.read import UnreadableSlice, read_header


@dataclass(frozen=True, order=True)
class Weight:
    """Rows, columns and bytes per voxel of a slice, its format; rows that its decoder gives."""

    height: int
    width: int
    itemsize: int
    block: int
    format: str

    @property
    def bytes(self) -> int:
        """Bytes of the slice's pixels."""
        return self.height * self.width * self.itemsize


def weight_of(path: str | Path) -> Weight | None:
    """Return a slice's weight, or None if the file cannot be read as a slice."""
    try:
        header = read_header(path)
    except (UnreadableSlice, OSError):
        return None
    itemsize = np.dtype(header.dtype).itemsize
    return Weight(header.height, header.width, itemsize, header.block_rows, header.format)
