"""What a slice's file says of itself, and the exception for files that are no slices."""

from dataclasses import dataclass, field

import numpy as np


class UnreadableSlice(Exception):
    """A file that is no slice this tool can read; `code` names the finding."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code

    def __reduce__(self):
        return UnreadableSlice, (self.code, str(self))


@dataclass(frozen=True)
class Header:
    """What a file says of itself, before any pixel is decoded.

    Attributes:
        format: jp2, png, jpeg or tiff.
        width: pixels of a row.
        height: rows.
        bit_depth: bits that the file says are used.
        dtype: the smallest type that holds such values; signed and floating types too.
        lossy: values may differ from those that were stored.
        samples: values of a pixel; 1 for grey scale and for palettes, whose indices are read.
        block_rows: rows that are decoded together; 0 if only the whole slice can be decoded.
        orientation: EXIF and TIFF tag 274; 1 is upright.
        white_is_zero: the file asks to be shown with 0 as white.
        palette: the colours of a palette, red, green and blue by index.
        pages: slices that the file holds.
        voxel_nm: size of a voxel along x, y and z in nanometers, None where it is not said.
        voxel_tags: names of the tags or boxes that say it.
        turn: the orientation tag as which pixels are turned while they are read; 1 is not at all.
    """

    format: str
    width: int
    height: int
    bit_depth: int
    dtype: str
    lossy: bool
    samples: int = 1
    block_rows: int = field(default=0, compare=False)
    orientation: int = 1
    white_is_zero: bool = False
    palette: tuple[tuple[int, int, int], ...] = field(default=(), compare=False)
    pages: int = field(default=1, compare=False)
    voxel_nm: tuple[float | None, float | None, float | None] = field(
        default=(None, None, None), compare=False
    )
    voxel_tags: str = field(default="", compare=False)
    turn: int = field(default=1, compare=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Extent y, x in pixels."""
        return self.height, self.width


def dtype_of_bits(bits: int, signed: bool = False) -> str:
    """Return the smallest integer type of so many bits.

    Raises:
        UnreadableSlice: beyond 64 bits.
    """
    for size in (8, 16, 32, 64):
        if bits <= size:
            return f"int{size}" if signed else f"uint{size}"
    raise UnreadableSlice("SLICE_TYPE", f"holds values of {bits} bits")


def one_grey(values: np.ndarray, bit_depth: int) -> np.ndarray:
    """Return y, x of pixels whose colours are all equal; y, x is returned as it is.

    Args:
        values: y, x or y, x, samples; with 2 or 4 samples the last one is opacity.
        bit_depth: bits of a sample.

    Raises:
        UnreadableSlice: if colours differ, or pixels are transparent.
    """
    if values.ndim == 2:
        return values
    samples = values.shape[-1]
    if samples in (2, 4):
        if (values[..., -1] != (1 << bit_depth) - 1).any():
            raise UnreadableSlice("SLICE_COLOUR", "holds transparent pixels")
        samples -= 1
    if (values[..., 1:samples] != values[..., :1]).any():
        raise UnreadableSlice("SLICE_COLOUR", "holds colours: its channels differ")
    return np.ascontiguousarray(values[..., 0])
