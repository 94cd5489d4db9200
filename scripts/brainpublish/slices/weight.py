"""How much memory a slice takes, from its header alone."""

from pathlib import Path

import numpy as np

from brainpublish.slices.read import UnreadableSlice, read_header


def slice_bytes(path: str | Path) -> int | None:
    """Return the bytes of a slice's pixels, or None if the file cannot be read as a slice."""
    try:
        header = read_header(path)
    except (UnreadableSlice, OSError):
        return None
    return header.width * header.height * np.dtype(header.dtype).itemsize
